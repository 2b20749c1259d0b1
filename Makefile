# Millrace needs Python 3.11+ and make; everything else is fetched into .venv, .tools and frontend/node_modules.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
# Two environments are made in one place.
.NOTPARALLEL:
MAKEFLAGS += --no-builtin-rules --no-print-directory

PORT ?= 8000
DATA_DIR ?= .data
export PORT DATA_DIR
export UV_PYTHON_DOWNLOADS := never
export UV_NO_PROGRESS := 1

UV_VERSION := 0.13.8
# The system's own comes first: distributions build it with profile-guided optimisation, version managers mostly do not,
# and Millrace then makes a fifth fewer steps a second. PYTHON=… chooses another.
PYTHONS := /usr/bin/python3 python3 python3.13 python3.12 python3.11
PYTHON := $(shell for python in $(PYTHONS); do \
	command -v $$python >/dev/null && $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && \
	$$python -c 'import sys; print(sys.executable)' && break; done)
# uv of the machine, else one of our own.
UV := $(shell command -v uv || echo .tools/bin/uv)
# Node where it is new enough, else the one from the PyPI wheel, which lies beside our uv.
NODE_FITS := $(shell node -e 'const [a, b, c] = process.versions.node.split(".").map(Number); \
	process.exit((a === 22 && (b > 22 || (b === 22 && c >= 2))) || (a === 24 && b >= 15) || a >= 26 ? 0 : 1)' \
	>/dev/null 2>&1 && command -v npm >/dev/null && echo yes)
NODE_READY := $(if $(NODE_FITS),,.tools/node/.stamp)
NODE_PATH_FIRST := $(if $(NODE_FITS),,PATH="$(CURDIR)/.tools/node/bin:$$PATH")
FRONTEND := $(shell find frontend/src frontend/public frontend/index.html frontend/*.ts frontend/*.cjs frontend/*.js \
	frontend/tsconfig*.json -type f 2>/dev/null)

SOURCES := $(shell find builder runtime -name '*.py')

.PHONY: html-pdf traces plans mutants schema-calls help run test check bench bench-bulk bench-search faults api pictures lock format clean

help: ## Show this list
	@grep -hE '^[a-z/]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | awk -F'\t' '{printf "  make %-10s %s\n", $$1, $$2}'

run: .venv/.stamp .venv/.stamp-compiled frontend/dist/.stamp ## Serve Millrace on 127.0.0.1:$PORT (8000), data in $DATA_DIR (.data)
	@exec .venv/bin/python manage.py serve

test: .venv/.stamp-dev .venv/.stamp-compiled frontend/dist/.stamp ## Run every check and test (ONLY="engine browser" runs some, ALL=1 leaves nothing to a lot)
	@$(NODE_PATH_FIRST) ALL="$(ALL)" .venv/bin/python -m tests.run $(ONLY)

check: .venv/.stamp-dev frontend/node_modules/.stamp ## Run what needs no test: format, lint, types, layers
	@$(NODE_PATH_FIRST) .venv/bin/python -m tests.run static

bench: .venv/.stamp-dev .venv/.stamp-compiled frontend/dist/.stamp ## Print one JSON line per figure, embedded and scaled
	@.venv/bin/python -m tests.benchmarks $(ONLY)
	@$(if $(ONLY),,.venv/bin/python -m tests.benchmarks.search)

bench-search: .venv/.stamp-dev .venv/.stamp-compiled frontend/dist/.stamp ## Find runs among a million (PostgreSQL) and 100,000 (SQLite), each filter's p95
	@.venv/bin/python -m tests.benchmarks.search $(ONLY)

bench-bulk: .venv/.stamp-dev .venv/.stamp-compiled frontend/dist/.stamp ## Draw, keep and post 12,000 statements, embedded and scaled
	@.venv/bin/python -m tests.benchmarks.bulk $(ONLY)

faults: .venv/.stamp-dev .venv/.stamp-compiled frontend/dist/.stamp ## Kill the runtime at every commit point and at random, on both databases
	@MILLRACE_FAULTS=full .venv/bin/python -m tests.run faults

schema-calls: .venv/.stamp-dev .venv/.stamp-compiled frontend/dist/.stamp ## Call every route as each role, made up from the published schema (ARGS="--seed 7")
	@.venv/bin/python -m tests.schema_calls $(ARGS)

plans: .venv/.stamp-dev .venv/.stamp-compiled ## Compare 500 plans of retry and undo with what the practice company then sees
	@MILLRACE_PLANS=$${MILLRACE_PLANS:-500} .venv/bin/python -m pytest tests/runtime/test_plans_kept.py -n 0 -q -s

mutants: .venv/.stamp-dev .venv/.stamp-compiled ## Make lines wrong, one by one, and see that a named test notices
	@.venv/bin/python -m tests.mutants $(ONLY)

api: .venv/.stamp-dev frontend/node_modules/.stamp ## Write the OpenAPI schema and the front end's types anew
	@$(NODE_PATH_FIRST) .venv/bin/python -m tests.generated write

pictures: .venv/.stamp-dev frontend/dist/.stamp ## Take the pictures of the README anew
	@.venv/bin/python -m tests.pictures

format: .venv/.stamp-dev ## Format the Python files
	@.venv/bin/ruff check --fix . && .venv/bin/ruff format .

lock: $(UV) ## Lock the dependencies of pyproject.toml anew (UPGRADE=1 takes newer ones)
	@compile="$(UV) pip compile --universal --generate-hashes --no-emit-index-url --no-annotate --python-version 3.11 $(if $(UPGRADE),--upgrade)"; \
	$$compile pyproject.toml -o requirements.lock -q; \
	$$compile pyproject.toml --extra html-pdf -c requirements.lock -o requirements-html-pdf.lock -q; \
	$$compile pyproject.toml --extra traces -c requirements.lock -o requirements-traces.lock -q; \
	$$compile pyproject.toml --extra html-pdf --extra traces --group dev -o requirements-dev.lock -q; \
	$$compile --group node -o requirements-node.lock -q

# Remembered in .venv, so that the next change of the locks leaves it there.
html-pdf: ## Install the extra for the step "PDF from HTML" (it needs Pango and HarfBuzz, see docs/documents.md)
	@mkdir -p .venv && touch .venv/.html-pdf && rm -f .venv/.stamp && $(MAKE) .venv/.stamp
	@.venv/bin/python -c 'import sys; from runtime.documents.html import missing; sys.exit(missing())'

traces: ## Install the extra for traces with OpenTelemetry (see docs/monitor.md)
	@mkdir -p .venv && touch .venv/.traces && rm -f .venv/.stamp && $(MAKE) .venv/.stamp

clean: ## Remove the environment and everything built (never the data)
	@rm -rf .venv .tools frontend/node_modules frontend/dist

# --- what the targets stand on ----------------------------------------------------------------------------------

.tools/bin/uv:
	@test -n "$(PYTHON)" || { echo "Millrace needs Python 3.11 or newer on the PATH."; exit 1; }
	@echo "Installing uv $(UV_VERSION) into .tools"
	@for python in "$(PYTHON)" $(PYTHONS); do \
		"$$python" -c 'import ensurepip, venv' 2>/dev/null && "$$python" -m venv .tools && exit; done; \
		echo "This Python cannot make environments. On Debian and Ubuntu: apt-get install python3-venv"; exit 1
	@.tools/bin/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

# The lighter environment serves; the one for development holds it whole, so a developer's `make run` changes nothing.
.venv/.stamp: requirements.lock requirements-html-pdf.lock requirements-traces.lock | $(UV)
	@test -n "$(PYTHON)" || { echo "Millrace needs Python 3.11 or newer on the PATH."; exit 1; }
	@if [ -e .venv/.stamp-dev ]; then $(MAKE) .venv/.stamp-dev; else \
		echo "Installing Millrace's dependencies into .venv"; \
		test -x .venv/bin/python || $(UV) venv --quiet --allow-existing --python "$(PYTHON)" .venv; \
		$(UV) pip sync --quiet --compile-bytecode --python .venv/bin/python --require-hashes \
			requirements.lock $$(for extra in html-pdf traces; do \
				test -e .venv/.$$extra && echo requirements-$$extra.lock; done); fi
	@touch .venv/.stamp

.venv/.stamp-dev: requirements-dev.lock requirements.lock requirements-html-pdf.lock requirements-traces.lock | $(UV)
	@test -n "$(PYTHON)" || { echo "Millrace needs Python 3.11 or newer on the PATH."; exit 1; }
	@echo "Installing Millrace's dependencies and development tools into .venv"
	@test -x .venv/bin/python || $(UV) venv --quiet --allow-existing --python "$(PYTHON)" .venv
	@$(UV) pip sync --quiet --compile-bytecode --python .venv/bin/python --require-hashes requirements-dev.lock
	@touch .venv/.stamp .venv/.stamp-dev

# Where the environment says PYTHONDONTWRITEBYTECODE, every process would otherwise compile all of it anew: 1.5 seconds.
.venv/.stamp-compiled: $(SOURCES) | .venv/.stamp
	@.venv/bin/python -m compileall -q builder runtime || true
	@touch .venv/.stamp-compiled

.tools/node/.stamp: requirements-node.lock | $(UV)
	@echo "Installing Node into .tools/node (none on the PATH is new enough)"
	@test -x .tools/node/bin/python || $(UV) venv --quiet --allow-existing --python "$(PYTHON)" .tools/node
	@$(UV) pip sync --quiet --python .tools/node/bin/python --require-hashes requirements-node.lock
	@touch .tools/node/.stamp

frontend/node_modules/.stamp: frontend/package-lock.json $(NODE_READY)
	@echo "Installing the front end's dependencies"
	@cd frontend && $(NODE_PATH_FIRST) npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch frontend/node_modules/.stamp

frontend/dist/.stamp: $(FRONTEND) frontend/package.json frontend/node_modules/.stamp
	@echo "Building the front end"
	@cd frontend && $(NODE_PATH_FIRST) npm run --silent build -- --logLevel warn
	@touch frontend/dist/.stamp
