# Needs Python 3.11 or newer; everything else is installed into $(VENV).

VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

# The first of these that runs and is new enough; `make PYTHON=/path/to/python3.11 ...` chooses another.
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3.14 python3; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && { echo "$$p"; break; }; done)

DEMO_ARGS ?=
PYTEST_ARGS ?=
# More than there are cores: tests with a real Kafka wait most of the time.
TEST_PROCESSES ?= 3
BENCH_ARGS ?=
CHAOS_ARGS ?=
HOURS ?= 1

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-compiled chaos chaos-short soak fuzz lint lint-style lint-format lint-types lint-imports lint-dependencies lint-security audit format bench bench-full bench-tiny bench-bounds bench-drain bench-repartition bench-backfill clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(STAMP) ## make the virtual environment and install segbatch with its tools

$(STAMP): pyproject.toml
	@test -n "$(PYTHON)" || { echo "segbatch needs Python 3.11 or newer, and none was found (make PYTHON=... names one)" >&2; exit 1; }
	@test -x "$(BIN)/python" || { echo "making $(VENV) with $(PYTHON)"; "$(PYTHON)" -m venv "$(VENV)"; } || \
		{ rm -rf "$(VENV)"; echo "$(PYTHON) could not make a virtual environment (on Debian: install python3-venv)" >&2; exit 1; }
	@echo "installing segbatch and its tools into $(VENV)"
	@"$(BIN)/python" -m pip install --quiet 'pip>=25.1'
	@PYTHONWARNINGS='ignore:Editable installation' "$(BIN)/python" -m pip install --quiet --editable . --group dev
	@touch "$@"

demo: setup ## show segbatch at work: an embedded Kafka, a local Batch, about 30 s (DEMO_ARGS)
	@"$(BIN)/segbatch" demo $(DEMO_ARGS)

test: setup ## run the tests, in several processes (TEST_PROCESSES, PYTEST_ARGS)
	@"$(BIN)/python" -m pytest -n $(TEST_PROCESSES) --dist loadfile $(PYTEST_ARGS)

test-compiled: setup ## the tests of what every event goes through, on a compiled copy (needs a C compiler; PYTEST_ARGS)
	@rm -rf .compiled && mkdir .compiled && cp -R mapping sink streams tests bench docs setup.py pyproject.toml README.md Dockerfile .dockerignore .compiled
	@cd .compiled && SEGBATCH_COMPILE=1 "$(abspath $(BIN))/python" setup.py --quiet build_ext --inplace
	@cd .compiled && PYTHONPATH="$$PWD" SEGBATCH_TEST_COMPILED=1 "$(abspath $(BIN))/python" -m pytest -n $(TEST_PROCESSES) --dist loadfile \
		tests/test_compiled.py tests/mapping tests/sink tests/fuzz tests/streams --ignore tests/streams/commands -m "not kafka" $(PYTEST_ARGS)

chaos: setup ## kill, cut, storm and poison real workers on a real Kafka, about 15 min; writes docs/reliability.md (CHAOS_ARGS)
	@"$(BIN)/python" -m tests.chaos --document docs/reliability.md $(CHAOS_ARGS)

chaos-short: setup ## a part of it, about 3 min (CHAOS_ARGS)
	@"$(BIN)/python" -m tests.chaos --scale short $(CHAOS_ARGS)

soak: setup ## all of it in full sizes, with new seeds for so many hours (HOURS)
	@"$(BIN)/python" -m tests.chaos --scale soak --hours $(HOURS) $(CHAOS_ARGS)

fuzz: setup ## run the slow tests: a hundred thousand generated examples each, other ones every time (PYTEST_ARGS)
	@SEGBATCH_HYPOTHESIS_PROFILE=random "$(BIN)/python" -m pytest -m slow $(PYTEST_ARGS)

lint: lint-style lint-format lint-types lint-imports lint-dependencies lint-security ## check style, types, imports, dependencies, security

lint-style: setup
	"$(BIN)/ruff" check .

lint-format: setup
	"$(BIN)/ruff" format --check .

lint-types: setup
	"$(BIN)/mypy" --strict -p mapping -p sink -p streams

lint-imports: setup
	"$(BIN)/lint-imports"

lint-dependencies: setup
	"$(BIN)/deptry" .

lint-security: setup
	"$(BIN)/bandit" --quiet --configfile pyproject.toml --recursive mapping sink streams

audit: setup ## look the installed packages up in the databases of known vulnerabilities (needs the network)
	@"$(BIN)/python" -m pip install --quiet --group audit
	"$(BIN)/pip-audit" --local --skip-editable

format: setup ## format the code
	@"$(BIN)/ruff" format .
	@"$(BIN)/ruff" check --fix .

bench: setup ## segbatch and its peers side by side, on a real Kafka, about 20 min; writes bench/report.md (BENCH_ARGS)
	@"$(BIN)/python" -m pip install --quiet --group bench
	@"$(BIN)/python" -m bench $(BENCH_ARGS)

bench-full: setup ## the same with a million events and 30,000 users, about 2 hours (BENCH_ARGS)
	@"$(BIN)/python" -m pip install --quiet --group bench
	@"$(BIN)/python" -m bench --size full $(BENCH_ARGS)

bench-tiny: setup ## the bench in small, to see that it works: about 2 min; writes no report (BENCH_ARGS)
	@"$(BIN)/python" -m bench --size tiny --pure --contenders aiokafka --no-report $(BENCH_ARGS)

bench-bounds: setup ## what mapping, merging and the ledger cost, held to bounds: a few seconds
	@"$(BIN)/python" -m pytest bench/bounds

bench-drain: setup ## how fast segbatch alone drains a full topic, on a real Kafka; writes no report (BENCH_ARGS)
	@"$(BIN)/python" -m bench --only drain --contenders 'segbatch (pure Python)' --no-report $(BENCH_ARGS)

bench-repartition: setup ## how fast one process of repartition copies a topic, on a real Kafka (BENCH_ARGS)
	@"$(BIN)/python" -m bench.repartition $(BENCH_ARGS)

bench-backfill: setup ## a whole user base brought over beside a live stream, killed twice, on a real Kafka (BENCH_ARGS)
	@"$(BIN)/python" -m bench.backfill $(BENCH_ARGS)

clean: ## remove the virtual environment and the tools' caches
	rm -rf "$(VENV)" .compiled .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
