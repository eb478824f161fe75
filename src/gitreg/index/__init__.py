"""The derived index: SQLite, which can be deleted at any time and is made again from the commits."""
