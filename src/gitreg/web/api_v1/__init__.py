"""The HTTP API, version 1: one table of operations, of which routes, checks and OpenAPI are made."""
