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

# Two files of tests run side by side: those without TensorFlow, then those with it, then those that
# start whole studies, each in the order of tests/conftest.py. The cluster has the machine to itself.
WITHOUT_KERAS := $(addprefix tests/,unit commands statistics report golden browser campaigns)
ALONE := tests/end_to_end/test_cluster.py
SIDE_BY_SIDE := -n 2 --dist loadfile --no-loadscope-reorder

unit: setup
	$(BIN)/pytest $(SIDE_BY_SIDE) tests/unit

# XLA's compiler for GPUs, apart from the environment; where there is none, its tests are skipped.
CUDA := $(VENV)/cuda
$(CUDA)/.ready: tests/requirements-cuda.txt $(READY)
	@rm -rf $(CUDA) && mkdir -p $(CUDA)
	@if [ "$$(uname -s)" = Linux ]; then $(BIN)/python -m pip install --quiet \
		--disable-pip-version-check --no-deps --target $(CUDA) -r $<; fi
	@touch $@

test: lint $(CUDA)/.ready
	$(BIN)/pytest $(SIDE_BY_SIDE) $(WITHOUT_KERAS)
	$(BIN)/pytest $(SIDE_BY_SIDE) tests/keras
	folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && export LSTM_STUDY_TESTS_FINISHED="$$folder" && \
	$(BIN)/pytest $(SIDE_BY_SIDE) $(patsubst %,--ignore=%,$(WITHOUT_KERAS) tests/keras $(ALONE)) && \
	$(BIN)/pytest $(ALONE)

bench: setup
	$(BIN)/python -m tests.benchmarks

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis tests/output
