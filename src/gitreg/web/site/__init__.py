"""The pages of a registry as files, for readers who have no server and no Git."""
