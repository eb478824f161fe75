"""The use cases of a registry: reading at a commit, writing, history, checking. Nothing here prints."""
