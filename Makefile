# serve, test, check, bench: each makes .venv and installs by itself where missing.
PYTHON ?= python3
BIN := .venv/bin
INSTALL := $(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable

.PHONY: serve test check fuzz faults soak audit bench

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
# make fuzz PDFS=folder: then five minutes of that folder's PDFs made wrong, too.
fuzz: .venv/dev
	FUZZ_EXAMPLES=300 $(BIN)/python -m pytest -m hypothesis $(ARGS)
	FUZZ_EXAMPLES=300 $(BIN)/python -m pytest tests/serving/test_openapi.py $(ARGS)
	$(if $(PDFS),$(BIN)/python tests/benchmarks/mutated_pdfs.py $(PDFS) --seconds 300 --seed $$(date +%s))

# Fifty runs killed at random moments, where a test run kills five; ten thousand documents, not a hundred; fifty megabytes, not one.
faults: .venv/dev
	FAULT_MOMENTS=50 FAULT_DOCUMENTS=10000 FAULT_MEGABYTES=50 $(BIN)/python -m pytest tests/faults $(ARGS)

# Five minutes of everything at once against a real service, every answer checked; then four times what it can do.
soak: .venv/dev
	$(BIN)/python tests/benchmarks/soak.py $(ARGS)
	$(BIN)/python tests/benchmarks/soak.py --overload 4

# Installed files against their digests, then the pinned versions against the list of known weaknesses, which wants a network.
audit: .venv/dev
	$(BIN)/eunato-rag bom --verify
	test -x .venv/audit/bin/pip-audit || ($(PYTHON) -m venv .venv/audit && .venv/audit/bin/pip install --quiet pip-audit)
	.venv/audit/bin/pip-audit --strict --disable-pip --no-deps --requirement constraints.txt $(ARGS)

# make bench DATA="folder folder" [PEERS=folder PEER_SCRIPT=file]: hours. Goes on where it was broken off; RAW has the figures.
# SERVED is the collection that a server is run over and whose texts make a thousand documents; PASSAGES are those that scaling
# takes its passages from.
RAW ?= build/bench
SERVED ?= $(firstword $(DATA))
PASSAGES ?= $(DATA)
ROUNDS ?= 3
SIZES ?= 1000 5000 10000 100000 1000000
PEERED = $(if $(PEERS),--peers $(PEERS) --peer-script $(PEER_SCRIPT))

bench: .venv/bench
	mkdir -p $(RAW)
	$(BIN)/python -m tests.benchmarks.side_by_side $(DATA) $(PEERED) --rounds $(ROUNDS) --raw $(RAW)/side_by_side.json
	$(BIN)/python -m tests.benchmarks.serving $(SERVED) $(if $(PEERS),--peers $(PEERS)) --raw $(RAW)/serving.json
	$(BIN)/python -m tests.benchmarks.scaling $(RAW)/scaling --data $(PASSAGES) --sizes $(SIZES) --raw $(RAW)/scaling.json
	test -s $(RAW)/bulk.json || (rm -rf $(RAW)/bulk && $(BIN)/python -m tests.benchmarks.bulk $(RAW)/bulk --documents 1000 --texts $(SERVED) --json > $(RAW)/bulk.new)
	test -s $(RAW)/bulk.json || mv $(RAW)/bulk.new $(RAW)/bulk.json
	$(BIN)/python -m tests.benchmarks.report $(foreach part,side_by_side serving scaling bulk,$(RAW)/$(part).json) --into docs

.venv/run: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(INSTALL) .
	touch $@

.venv/dev: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(INSTALL) '.[dev]'
	touch $@ .venv/run

.venv/bench: .venv/dev
	$(INSTALL) '.[bench]'
	touch $@
