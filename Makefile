# Everything a contributor types; only make and Python 3.11 or newer are taken for granted.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
DEMO   := $(VENV)/.installed-demo
PYTEST_ARGS ?= -n auto --dist worksteal

# Two at a time, each with its output in one piece where this make can do so.
TOGETHER = +$(MAKE) --no-print-directory -j 2 $(if $(filter output-sync,$(.FEATURES)),-O)
CHECKS   := mypy pyright style

.DEFAULT_GOAL := help
.PHONY: help demo test test-long check $(CHECKS) format docs bench services clean

help:                   ## show this list
	@grep -E '^[a-z-]+: .*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 20

demo: $(DEMO)           ## start the example project (server and worker) until Ctrl-C
	@$(BIN)/python scripts/demo.py

test: $(STAMP)          ## everything a change has to pass, in under 15 minutes
	@$(TOGETHER) services $(CHECKS)
	$(BIN)/python -m pytest $(PYTEST_ARGS)

test-long: services     ## all tests, the long ones too, on each Python from 3.11 to 3.14 that is here; VERSIONS="3.12" for some
	@$(BIN)/python scripts/test_everywhere.py $(VERSIONS)

check: $(STAMP)         ## style, types, layers
	@$(TOGETHER) $(CHECKS)

style: $(STAMP)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports

mypy: $(STAMP)
	$(BIN)/mypy
	@if [ -d example_project ]; then set -x; $(BIN)/mypy --strict example_project; fi

pyright: $(STAMP)
	$(BIN)/pyright --pythonpath $(BIN)/python

format: $(STAMP)        ## rewrite the files as `make check` wants them
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

docs: $(STAMP)          ## build the documentation into site/
	$(BIN)/zensical build --config-file mkdocs.yml --strict

bench: $(STAMP) services    ## run the benchmarks
	$(BIN)/python -m benchmarks

services: $(STAMP)      ## install PostgreSQL, Redis and Chromium where they are missing
	@$(BIN)/python scripts/ensure_services.py

clean:                  ## remove what make has made
	rm -rf $(VENV) .venv-3.* dist site .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find src tests scripts benchmarks example_project -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true

$(STAMP): pyproject.toml scripts/environment.py
	@$(PYTHON) scripts/environment.py $(VENV)

# What the demo needs is a part of it, and there sooner.
$(DEMO): pyproject.toml scripts/environment.py
	@$(PYTHON) scripts/environment.py $(VENV) --demo
