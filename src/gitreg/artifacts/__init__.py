"""What a source URI can tell about a model version: digests, MLmodel files, MLflow runs."""
