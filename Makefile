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
# one more than a small machine has processors: many tests wait for a term or a deadline to be over
JOBS ?= 3
ENGINE ?= docker
TAG ?= gatehold:$(shell sed -n 's/^__version__ = "\(.*\)"/\1/p' operator/gatehold/__init__.py)

.PHONY: help setup programs tools binaries demo cluster test test-unit test-versions lint types contracts verify generate docs docs-serve packages image lock check bench bench-profile soak clean

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

programs: setup ## Build etcd, the API server and their kin (about 6 minutes the first time, cached after)
	@$(BIN)/python -m controlplane build

tools: setup ## Build what only tests and `make generate` run: Helm, Argo Rollouts, kubeconform, Prometheus' rules and others (the same)
	@$(BIN)/python -m controlplane tools

binaries: programs tools ## Build both

demo: programs ## Tell the main story live, on a local control plane
	@$(BIN)/python -m demo

cluster: programs ## Start a control plane with Gatehold's CRDs and wall, and leave it running
	@$(BIN)/python -m demo --keep

test: binaries ## Run every test, on real API servers (JOBS=0: in one process)
	@$(BIN)/python -m pytest -n $(JOBS) --dist loadgroup --cov --cov-report=term --cov-fail-under=100 $(PYTEST_ARGS)

test-unit: setup ## Run the tests that need no API server
	@$(BIN)/python -m pytest tests/domain tests/api $(PYTEST_ARGS)

test-versions: setup ## Run the wall's table and the main job on Kubernetes 1.30 to 1.37 (VERSIONS=1.33: on that one)
	@$(BIN)/python -m versions $(VERSIONS); code=$$?; $(BIN)/python hack/reference.py && exit $$code

lint: setup ## Style
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: setup ## Types
	@$(BIN)/mypy

contracts: setup ## Which room may import which
	@$(BIN)/lint-imports

generate: setup ## Write the generated reference pages
	@$(BIN)/python hack/reference.py
	@$(BIN)/python hack/argo_cd.py
	@$(BIN)/python hack/bundles.py

verify: setup docs ## Check that generated pages are as generated, and that the site of the docs builds
	@$(BIN)/python hack/reference.py --check
	@$(BIN)/python hack/bundles.py --check
	@$(BIN)/python hack/argo_cd.py --check

docs: setup ## Build the docs as a site in dist/docs; a page outside its navigation or a dead link fails
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build
	@echo "dist/docs/index.html"

docs-serve: setup ## Show the site on loopback, and again after each change
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs serve

check: lint types contracts verify test ## Everything CI runs

bench: programs ## Measure against a bare loop (half an hour; BENCH_ARGS=--quick: minutes)
	@PYTHONPATH=$(PYTHONPATH):$(CURDIR) $(BIN)/python -m bench $(BENCH_ARGS)

bench-profile: programs ## Show where the time of a decision goes
	@PYTHONPATH=$(PYTHONPATH):$(CURDIR) $(BIN)/python -m bench.profile $(BENCH_ARGS)

soak: programs ## Random life under random faults, then every invariant (30 minutes; SOAK_ARGS="--minutes 120 --seed 7")
	@PYTHONPATH=$(PYTHONPATH):$(CURDIR) $(BIN)/python -m tests.soak $(SOAK_ARGS)

packages: setup ## Make wheel, sdist, krew's archive and manifest, and checksums in dist/
	@$(BIN)/python -m release

image: ## Build the image (ENGINE=podman or buildah, TAG=...)
	$(ENGINE) build --file Containerfile --tag $(TAG) .

lock: setup ## Renew hack/image: what the image and krew's plugin install, by hash
	@$(BIN)/pip install --quiet uv
	@$(BIN)/python -m release.lock

clean: ## Remove what was made here
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage dist
