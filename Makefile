# make report   set up and write build/report/index.html, and say its address (no torch)
# make test     set up everything and run every test
# make soak     faults for minutes (MINUTES=5): what was done, and what was lost
# make lint | sql | bench | docs | lock | clean

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMPS := $(VENV)/.stamps

# uv where it is installed, pip otherwise; both check every hash.
UV := $(shell command -v uv 2>/dev/null)
ifdef UV
INSTALL := VIRTUAL_ENV=$(VENV) $(UV) pip install --quiet
else
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile
endif

.PHONY: report test soak lint sql bench docs lock clean
.DEFAULT_GOAL := report

report: $(STAMPS)/report
	@$(BIN)/lossnets report
	@$(BIN)/python -c 'import pathlib; print(pathlib.Path("build/report/index.html").resolve().as_uri())'

test: lint
	@$(BIN)/python -m pytest -n 2 $(PYTEST_ARGS)

soak: $(STAMPS)/dev
	@$(BIN)/python tests/faults/soak.py $(if $(MINUTES),--minutes $(MINUTES)) $(if $(SEED),--seed $(SEED))

lint: $(STAMPS)/dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

sql: $(STAMPS)/report
	@$(BIN)/lossnets sql

bench: $(STAMPS)/dev
	@$(BIN)/python -m bench $(BENCH)

docs: $(STAMPS)/dev
	@$(BIN)/python -m lossnets.warehouse.answers.schema_page
	@$(BIN)/python docs/generate_cli.py
	@$(BIN)/python docs/run_python.py

# The stamp of a lock is newer than the lock: nothing is set up twice.
$(STAMPS)/report: constraints.txt pyproject.toml | $(BIN)/python
	@echo "Setting up $(VENV) for the report …"
	@$(INSTALL) --require-hashes -r constraints.txt
	@$(INSTALL) --no-deps --no-build-isolation -e .
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/dev: constraints-dev.txt pyproject.toml | $(BIN)/python
	@echo "Setting up $(VENV) for development (torch is several GB) …"
	@$(INSTALL) --require-hashes -r constraints-dev.txt
	@$(INSTALL) --no-deps --no-build-isolation -e .
	@mkdir -p $(STAMPS) && touch $@ $(STAMPS)/report

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "error: Python 3.11 or newer is needed, found " + sys.version.split()[0])'
	@$(PYTHON) -m venv $(VENV)

LOCK := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
        --no-annotate --no-emit-index-url --no-emit-find-links --group build pyproject.toml
lock:
	@$(LOCK) --upgrade --extra dev -o constraints-dev.txt
	@$(LOCK) -c constraints-dev.txt -o constraints.txt

clean:
	@rm -rf build .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis
