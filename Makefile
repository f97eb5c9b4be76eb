# Gatehold: everything a newcomer needs. `make demo` shows the main job, `make test` proves it; both need only
# Python >= 3.11, make and Go, and make their own virtual environment.
SHELL := /bin/bash
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
export PYTHONPATH := $(CURDIR)/operator:$(CURDIR)/hack
PYTEST_ARGS ?=

.PHONY: help setup binaries demo cluster test test-unit lint types contracts verify generate check bench clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  \1\t/' | expand -t 16

$(VENV)/.ready: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; set PYTHON=..."; exit 1; }
	@echo "making the virtual environment in $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --upgrade pip
	@$(BIN)/pip install --quiet --group dev --editable .
	@touch $@

setup: $(VENV)/.ready ## Make the virtual environment

binaries: setup ## Build etcd, the API server and their kin (about 6 minutes the first time, cached after)
	@$(BIN)/python -m controlplane build

demo: binaries ## Tell the main story live, on a local control plane
	@$(BIN)/python -m demo

cluster: binaries ## Start a control plane with Gatehold's CRDs and wall, and leave it running
	@$(BIN)/python -m demo --keep

test: binaries ## Run every test, on real API servers
	@$(BIN)/python -m pytest --cov --cov-report=term --cov-fail-under=100 $(PYTEST_ARGS)

test-unit: setup ## Run the tests that need no API server
	@$(BIN)/python -m pytest tests/domain tests/api $(PYTEST_ARGS)

lint: setup ## Style
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: setup ## Types
	@$(BIN)/mypy

contracts: setup ## Which room may import which
	@$(BIN)/lint-imports

generate: setup ## Write the generated reference pages
	@$(BIN)/python hack/reference.py

verify: setup ## Check that generated pages are as generated
	@$(BIN)/python hack/reference.py --check

check: lint types contracts verify test ## Everything CI runs

bench: binaries ## Measure against a bare loop (ratios; minutes)
	@PYTHONPATH=$(PYTHONPATH):$(CURDIR) $(BIN)/python -m bench $(BENCH_ARGS)

clean: ## Remove what was made here
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage dist
