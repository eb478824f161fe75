"""GTO's registry of artifacts, which lies in the Git tags of a repository and in its artifacts.yaml."""
