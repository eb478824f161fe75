"""MLflow's registry taken over, with its dates; and ours handed to MLflow."""
