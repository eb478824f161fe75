"""Paths and bytes in a Git repository; the only package that runs Git, and it knows nothing of models."""
