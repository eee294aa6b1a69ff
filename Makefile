# Hanse. `make help` lists every command.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready

.DEFAULT_GOAL := help

.PHONY: help
help: ## List every command
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

.PHONY: setup
setup: $(STAMP) ## Make .venv with everything

$(STAMP): pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 is missing: install python3.11, or set PYTHON=/path/to/it"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "The venv module of Python is missing: install python3.11-venv"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $(STAMP)

.PHONY: demo
demo: $(STAMP) ## Two operators on this machine: an app consumes a service across the border
	$(BIN)/hanse scenario run u5

.PHONY: test
test: $(STAMP) ## Run every test
	$(BIN)/pytest -n auto --dist loadfile --no-loadscope-reorder --durations 25

.PHONY: fast
fast: $(STAMP) ## Run the unit and contract tests only
	$(BIN)/pytest tests/unit tests/contract

EXAMPLES ?= 300
.PHONY: fuzz
fuzz: $(STAMP) ## Ask every standard API with EXAMPLES=300 generated requests of each kind an operation
	HANSE_FUZZ_EXAMPLES=$(EXAMPLES) $(BIN)/pytest -n 2 --dist loadfile --timeout 3600 $(wildcard tests/contract/test_schemas_*.py)

.PHONY: check
check: $(STAMP) ## Lint, types, layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

.PHONY: docs
docs: $(STAMP) ## Write the generated documents anew
	$(BIN)/hanse refpoints > src/hanse/refpoints/README.md
	$(BIN)/hanse refpoints --as picture > docs/architecture.svg
	$(BIN)/python -m tests.contract.conformance_document > docs/conformance.md

.PHONY: bench
bench: $(STAMP) ## Run every benchmark
	$(BIN)/hanse bench all

.PHONY: system
system: ## Install the Debian packages of the kernel-level drivers (needs root)
	apt-get update
	apt-get install --yes --no-install-recommends nftables iproute2 bind9-dnsutils openssl

.PHONY: clean
clean: ## Remove what was built and what `hanse up` keeps
	-test -x $(BIN)/hanse && test -f .hanse/deployment.toml && $(BIN)/hanse down
	test ! -d .hanse || chmod -R u+rwX .hanse
	rm -rf $(VENV) .hanse build dist .mypy_cache .ruff_cache .pytest_cache
