"""Serves a registry over HTTP."""
