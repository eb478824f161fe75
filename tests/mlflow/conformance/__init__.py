"""MLflow's documented behaviour as tests, run on MLflow's own SQL store (the oracle) and on gitreg's plugin."""
