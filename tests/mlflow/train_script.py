"""Trains and logs a model without registering it: ``train_script.py TRACKING_URI``; prints the run's id."""

from __future__ import annotations

import logging
import runpy
import sys
import warnings
from pathlib import Path

import mlflow

# The same classifier as the other script's, which need not be a module of a package.
train = runpy.run_path(str(Path(__file__).with_name("workflow_script.py")))["train"]


def main(tracking: str) -> None:
    """One run in the experiment "campaigns"."""
    logging.getLogger("mlflow").setLevel(logging.ERROR)
    warnings.simplefilter("ignore")
    mlflow.set_tracking_uri(tracking)
    mlflow.set_experiment("campaigns")
    print("run", train(1.0))


if __name__ == "__main__":
    main(*sys.argv[1:])
