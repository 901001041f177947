# SPDX-License-Identifier: EUPL-1.2
# make demo   a running city hub with a simulated city, from a fresh clone
# make test   install everything the tests need (Debian packages through apt where allowed) and run them
# make check  formatting, lint, types, architecture
# make bench  measure; prints ratios against yardsticks and writes benchmarks/latest.json

PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3.13 || echo python3)
VENV   := .venv
BIN    := $(VENV)/bin
# processes; most tests wait for servers more than they compute
TESTERS := 3
SERVERS := mosquitto mosquitto-clients influxdb victoria-metrics postgresql curl chromium

# modules are compiled once, not by every process: several of them make a hub, and the tests start many
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo run test check bench servers clean
.DEFAULT_GOAL := demo

demo: $(VENV)/.run
	$(BIN)/cityhub demo

run: $(VENV)/.run
	$(BIN)/cityhub run

test: $(VENV)/.dev servers
	$(BIN)/pytest -n $(TESTERS) --dist loadfile --no-loadscope-reorder

check: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m dashboards.build --check

bench: $(VENV)/.dev servers
	$(BIN)/python -m benchmarks

servers:
	@./tests/install-servers $(SERVERS)

$(BIN)/python:
	@command -v "$(PYTHON)" >/dev/null || { echo "Python 3.11 or newer is needed: install it, or name it: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$(PYTHON) is older than Python 3.11"; exit 1; }
	$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "On Debian the module venv comes with: apt install python3-venv"; exit 1; }

$(VENV)/.run: $(BIN)/python requirements/run.txt pyproject.toml
	@echo "Installing the hub's packages into $(VENV): a minute or two"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/run.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.run requirements/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@

clean:
	rm -rf $(VENV) demo-data .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
