# Everything runs in .venv, which is made on first use; nothing outside this folder is touched.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
DEMO_OUT ?= demo
BENCHES ?= $(wildcard bench/*.py)
ACCOUNT ?= small
WORKERS ?= auto
# What is compiled once need not be compiled again by each of the hundred processes that tests start.
unexport PYTHONDONTWRITEBYTECODE
PAIRS ?= 2000
ACCOUNTS ?= 2000
# Counting branches costs half the time again: CI does it, and `make test CI=true`.
COVERAGE := $(if $(CI),--cov --cov-report=term:skip-covered)

.PHONY: demo test fuzz fuzz-accounts fuzz-pairs fuzz-samples lint bench docs screenshots format clean
.DEFAULT_GOAL := demo

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit("permmigrate needs Python 3.11 or newer: make PYTHON=python3.11" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@

demo: $(READY)  ## the whole journey against the built-in sandbox
	@$(BIN)/permmigrate demo --out $(DEMO_OUT) --account $(ACCOUNT)

test: $(READY)  ## every test; in CI with coverage by branch and its threshold
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(COVERAGE)

fuzz: $(READY)  ## every sample whole: ACCOUNTS against Cedar itself, policy PAIRS through the solver, the rest
	@$(MAKE) --no-print-directory -j2 fuzz-accounts fuzz-pairs fuzz-samples

fuzz-accounts: $(READY)
	PERMMIGRATE_FUZZ=$(ACCOUNTS) $(BIN)/python -m pytest -n 0 tests/diff/test_against_cedar.py -k every_verdict

fuzz-pairs: $(READY)
	PERMMIGRATE_PAIRS=$(PAIRS) $(BIN)/python -m pytest -n 0 tests/cedar/test_solver_fuzz.py

fuzz-samples: $(READY)
	PERMMIGRATE_LONG=1 $(BIN)/python -m pytest -n 0 -m sampled

lint: $(READY)  ## ruff, mypy --strict on src, the layer rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	PYTHONPATH=src $(BIN)/lint-imports

bench: $(READY)  ## benchmarks: ratios taken in one run against a named alternative
	@for each in $(BENCHES); do echo "== $$each"; $(BIN)/python $$each || exit 1; done

docs: $(READY)  ## docs/reference.md, from the commands and the schemas
	$(BIN)/python docs/reference.py

screenshots: $(READY)  ## the README's picture; needs chromium
	$(BIN)/python docs/screenshots.py

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) demo dist .coverage .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
