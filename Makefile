# The commands of the README: make study, make test, make bench. All they need goes into .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: setup study test lint unit bench clean

setup: $(READY)

$(READY): requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info[:2] <= (3, 13) else "lstm-study needs Python 3.11 to 3.13, and this is %d.%d. Name another: make setup PYTHON=python3.12" % sys.version_info[:2])'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing into $(VENV) (a few minutes the first time) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

study: setup
	@$(BIN)/lstm-study run study/quickstart.toml --out reports/local

lint: setup
	$(BIN)/ruff check src tests
	$(BIN)/ruff format --check src tests
	$(BIN)/mypy
	$(BIN)/lint-imports

# Tests that run side by side: without TensorFlow, and with it on one thread. The others start
# whole studies, and have the machine to themselves.
WITHOUT_KERAS := $(addprefix tests/,unit commands statistics report golden browser campaigns)
SIDE_BY_SIDE := -n 2 --dist loadfile

unit: setup
	$(BIN)/pytest $(SIDE_BY_SIDE) tests/unit

test: lint
	$(BIN)/pytest $(SIDE_BY_SIDE) $(WITHOUT_KERAS)
	$(BIN)/pytest $(SIDE_BY_SIDE) tests/keras
	$(BIN)/pytest $(patsubst %,--ignore=%,$(WITHOUT_KERAS) tests/keras)

bench: setup
	$(BIN)/python -m tests.benchmarks

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis tests/output
