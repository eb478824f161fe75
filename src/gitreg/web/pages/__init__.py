"""What each page shows: functions of a registry at one commit, without a web framework or files."""
