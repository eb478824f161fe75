# Two commands do all set-up on a fresh machine with Python 3.11+, Git and make: make demo, make test.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: demo demo-review test lint bench clean

$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "gitreg needs Python 3.11 or newer: make PYTHON=python3.12 ..." >&2; exit 1; }
	@echo "Installing gitreg and what it needs into $(VENV) (about two minutes) ..."
	@test -d $(VENV) || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[all,dev]' >$(VENV)/install.log 2>&1 || \
		{ cat $(VENV)/install.log >&2; exit 1; }
	@touch $(STAMP)

demo: $(STAMP)
	@$(BIN)/python demo/run.py

demo-review: $(STAMP)
	@$(BIN)/python demo/review.py

test: $(STAMP)
	@scripts/system-packages strace sshd=openssh-server gitolite=gitolite3 nginx=nginx-light fcgiwrap chromium curl jq
	@scripts/npm-package axe-core 4.14.1
	@scripts/mlflow2-venv
	@$(BIN)/python -m pytest -q -n auto --dist loadgroup

lint: $(STAMP)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: $(STAMP)
	@$(BIN)/python benchmarks/run.py

clean:
	rm -rf $(VENV) .venv-mlflow2 demo-registry demo-review .pytest_cache .mypy_cache .ruff_cache .hypothesis
