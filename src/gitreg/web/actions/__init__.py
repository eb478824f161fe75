"""What people change on the pages: forms, each of which becomes a commit by the one who sends it."""
