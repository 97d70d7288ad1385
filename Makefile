# Two commands matter: `make demo` and `make test`. Both install what they need.
# The system's interpreter where it will do: Debian builds it with profile-guided optimisation, which makes it a fifth faster.
ABLE = import ensurepip, sys, venv; assert sys.version_info >= (3, 11)
PYTHON ?= $(shell for p in /usr/bin/python3 python3; do $$p -c '$(ABLE)' 2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
DATA ?= var/demo
PORT ?= 8080
POPULATION ?= 2000
WORKERS ?= 2
# Neighbours stay on one worker, which makes once what a module of tests shares; who is done first takes from the other.
PYTEST := $(VENV)/bin/pytest -n $(WORKERS) --dist worksteal

PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
INSTALLED := $(VENV)/.installed
COMPILED := $(VENV)/.compiled
TYPED := $(VENV)/.types

.DEFAULT_GOAL := help
.PHONY: help install demo test check lint types contracts tests browser papers assets lock sbom bench clean

help: ## Say what there is
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(INSTALLED) ## Make the environment, with every dependency pinned by hash

$(INSTALLED): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or later with venv is needed (on Debian: python3-venv; or set PYTHON=…)"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing what requirements.lock pins; the first time takes a few minutes."
	@$(PIP) install --require-hashes -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(COMPILED): $(INSTALLED) $(shell find src -name '*.py')
	@$(BIN)/python -m compileall -q src
	@touch $@

demo: $(COMPILED) papers ## Run a demonstration nation on http://localhost:8080
	@$(BIN)/ambroise demo --port $(PORT) --data $(DATA) --population $(POPULATION)

# Types are checked while tests run, for each leaves the other processor time; either one that fails fails all.
test: install browser papers lint contracts $(COMPILED) ## Check style, types, contracts, and run every test
	@$(BIN)/pyright >$(TYPED) 2>&1 & types=$$!; \
	$(PYTEST); tests=$$?; \
	wait $$types; types=$$?; cat $(TYPED); exit $$((tests || types))

check: lint types contracts ## What is fast among the checks

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: install
	$(BIN)/pyright

contracts: install
	$(BIN)/lint-imports

tests: $(COMPILED)
	$(PYTEST)

# What tests need beyond Python: a browser, when we may install it.
browser:
	@command -v chromium >/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null \
	  && apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium; } \
	  || echo "Chromium was not found: tests of the pages in a browser will fail until it is installed."

# What PDFs of our own need beyond Python: the layout of text, when we may install it.
papers: install
	@$(BIN)/python -c 'from ctypes.util import find_library; raise SystemExit(not find_library("pangoft2-1.0"))' || { [ "$$(id -u)" = 0 ] \
	  && command -v apt-get >/dev/null && apt-get update -qq && apt-get install -y -qq --no-install-recommends libpango-1.0-0 libpangoft2-1.0-0; } \
	  || echo "Pango was not found: proofs in PDF cannot be made until libpango-1.0-0 and libpangoft2-1.0-0 are installed."

assets: install ## Take the third-party files of the pages from npm again
	npm ci --no-fund --no-audit
	$(BIN)/python tools/build_assets.py

lock: ## Pin dependencies again, after a change of pyproject.toml
	tools/lock.sh

sbom: ## List the components that are pinned (CycloneDX), in var/sbom.json
	@mkdir -p var
	@$(PYTHON) tools/sbom.py var/sbom.json

bench: $(COMPILED) ## Measure, and write bench/RESULTS.md
	$(BIN)/ambroise bench

clean: ## Remove what was built, never data
	rm -rf $(VENV) node_modules .pytest_cache .ruff_cache .hypothesis .import_linter_cache
