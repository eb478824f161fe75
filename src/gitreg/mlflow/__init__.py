"""MLflow's model registry over a registry of ours: the facade, its REST form, and the store plugin."""
