# serve, test, check, bench: each makes .venv and installs by itself where missing.
PYTHON ?= python3
BIN := .venv/bin
INSTALL := $(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable

.PHONY: serve test check fuzz faults bench

serve: .venv/run
	$(BIN)/eunato-rag serve $(ARGS)

test: .venv/dev
	$(BIN)/python -m pytest $(ARGS)

check: .venv/dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python docs/build.py --check

# New made-up texts and documents, where a test run takes the same each time; and many more requests against the described API.
fuzz: .venv/dev
	FUZZ_EXAMPLES=300 $(BIN)/python -m pytest -m hypothesis $(ARGS)
	FUZZ_EXAMPLES=300 $(BIN)/python -m pytest tests/serving/test_openapi.py $(ARGS)

# Fifty runs killed at random moments, where a test run kills five.
faults: .venv/dev
	FAULT_MOMENTS=50 $(BIN)/python -m pytest tests/faults $(ARGS)

# make bench DATA=folder [PEERS=folder PEER_SCRIPT=file]
bench: .venv/dev
	$(BIN)/python tests/benchmarks/side_by_side.py $(DATA) $(if $(PEERS),--peers $(PEERS) --peer-script $(PEER_SCRIPT)) $(ARGS)

.venv/run: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(INSTALL) .
	touch $@

.venv/dev: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(INSTALL) '.[dev]'
	touch $@ .venv/run
