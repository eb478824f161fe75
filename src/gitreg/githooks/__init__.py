"""What Git's hooks and pre-commit run."""
