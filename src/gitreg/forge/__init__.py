"""Hosting services: which one a remote is, what a push tells it, and small adapters for their REST APIs."""
