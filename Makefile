# `make help` lists what there is. Everything is installed into .venv; only Python 3.11 or newer must be there.

PYTHON ?= python3
JOBS ?= 3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input

# A stamp carries the checksum of the lists it stands for: with the lists unchanged, nothing is installed and pip is not even started.
checksum = $(shell cat $(1) 2>/dev/null | cksum | cut -d ' ' -f 1)
SERVER := $(VENV)/.installed-$(call checksum,requirements.txt)
EXAMPLES := $(VENV)/.installed-examples-$(call checksum,requirements.txt examples/requirements.txt)
TOOLS := $(VENV)/.installed-tools-$(call checksum,requirements.txt examples/requirements.txt requirements-dev.txt)

# Without an interpreter behind .venv (first time, or Python was upgraded) the stamps in it are worth nothing.
anew := $(shell test -x $(BIN)/python || echo anew)

# Compiled once, not in each process: a server starts a third sooner, and the tests start hundreds.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: anew help run serve test lint config languages clean

help: ## list the commands
	@sed -n 's/^\([a-z]*\):.*## /  make \1 \t/p' $(firstword $(MAKEFILE_LIST)) | expand -t 16

run: $(EXAMPLES) ## start the server, an example app and an example API with demo data (PORT=9000 moves them)
	@exec $(BIN)/python -m examples.run

serve: $(SERVER) ## start the server alone, with the settings of the environment (docs/configuration.md)
	@exec $(BIN)/python -m oidc_server.serve

test: $(TOOLS) ## run the tests, JOBS at a time (ARGS="-k pkce" chooses)
	@exec $(BIN)/python -m pytest -n $(JOBS) --dist loadfile $(ARGS)

lint: $(TOOLS) ## check style, types and who imports whom
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

bench: $(TOOLS) ## measure on one core beside node-oidc-provider (needs wrk and Node.js; ARGS="--only refresh")
	@npm ci --prefix benchmarks/node --no-audit --no-fund --loglevel=error
	@$(BIN)/python -m benchmarks $(ARGS)

config: $(SERVER) ## write config/example.toml, .env.example and docs/configuration.md from settings.py
	@$(BIN)/python -m oidc_server.settings_docs

languages: $(SERVER) ## list the sentences that a language lacks
	@$(BIN)/python -m oidc_server.languages

clean: ## remove .venv and caches; the database in instance/ and the keys in keys/ stay
	@rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

anew:

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "This needs Python 3.11 or newer, and $(PYTHON) is $$($(PYTHON) --version 2>/dev/null || echo 'not there')." >&2; \
	  echo "Install one, or name it: make $(or $(MAKECMDGOALS),run) PYTHON=python3.13" >&2; exit 1; }
	@echo "· making $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv --clear $(VENV) || { \
	  rm -rf $(VENV); echo "Python could not make a virtual environment; on Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }

# An installation leaves only the stamps that are true of it.
stale = rm -f $(filter-out $(SERVER) $(EXAMPLES) $(TOOLS),$(wildcard $(VENV)/.installed-*))

$(SERVER): $(BIN)/python $(anew)
	@echo "· installing the server's packages"
	@$(PIP) -r requirements.txt
	@$(stale); touch $(SERVER)

$(EXAMPLES): $(BIN)/python $(anew)
	@echo "· installing the server's and the examples' packages"
	@$(PIP) -r requirements.txt -r examples/requirements.txt
	@$(stale); touch $(SERVER) $(EXAMPLES)

$(TOOLS): $(BIN)/python $(anew)
	@echo "· installing what tests and checks need"
	@$(PIP) -r requirements-dev.txt
	@$(stale); touch $(SERVER) $(EXAMPLES) $(TOOLS)
