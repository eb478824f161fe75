"""Imports and exports, beside the real programs."""
