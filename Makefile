# Every target sets up what it needs in .venv; run again, it starts in seconds.
#   make demo                                  the main job on made speech
#   make demo CORPUS=emodb DATA=path/to/emodb  the main job on real files
#   make app                                   its results in the browser
#   make test                                  the tests
# On Linux, TORCH_INDEX=<url> takes torch from an index of CPU builds.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
CORPUS ?= synthetic
DATA ?=
RESULTS ?= results/demo
JOBS ?= 2
WORKERS ?= 2
SPHINXOPTS ?= -W --keep-going

export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help demo app test test-all lint format bench docs linkcheck clean

help:
	@sed -n 's/^# \{0,1\}//p' Makefile | head -6
	@echo "  make test-all | lint | format | bench | docs | linkcheck | clean"

$(BIN)/python:
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
	echo "Python's module venv does not work here; on Debian: apt install python3-venv"; exit 1; }

# One stamp per set of extras, renewed when the requirements change. Given an index,
# torch comes from there and stays: the version is the one the constraints name.
$(VENV)/.torch: $(BIN)/python constraints.txt
	$(if $(TORCH_INDEX),@$(BIN)/pip install -q -c constraints.txt --index-url $(TORCH_INDEX) torch)
	@touch $@

define install
@echo "Installing serkit[$(1)] into $(VENV) (a few minutes the first time)"
@$(BIN)/pip install -q -c constraints.txt -e ".[$(1)]"
@touch $@
endef

$(VENV)/.run: pyproject.toml constraints.txt $(VENV)/.torch
	$(call install,opensmile$(comma)persist$(comma)plot)

$(VENV)/.app: $(VENV)/.run
	$(call install,app$(comma)opensmile$(comma)persist)

$(VENV)/.test: $(VENV)/.run
	$(call install,opensmile$(comma)plot$(comma)test)

$(VENV)/.docs: $(VENV)/.run
	$(call install,opensmile$(comma)plot$(comma)docs)

comma := ,

demo: $(VENV)/.run
	$(BIN)/serkit demo --corpus "$(CORPUS)" $(if $(DATA),--data "$(DATA)") --results "$(RESULTS)" --n-jobs $(JOBS)

app: $(VENV)/.app
	$(BIN)/serkit app "$(RESULTS)"

test: $(VENV)/.test
	$(BIN)/pytest -q -n $(WORKERS) --dist worksteal

test-all: $(VENV)/.test
	$(BIN)/pytest -q -n $(WORKERS) --dist worksteal --run-slow

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/.test
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.test
	OMP_NUM_THREADS=1 $(BIN)/python examples/benchmarks $(if $(DATA),--data "$(DATA)")

docs: $(VENV)/.docs
	$(BIN)/sphinx-build $(SPHINXOPTS) -b html docs docs/_build/html
	@echo "Open docs/_build/html/index.html"

linkcheck: $(VENV)/.docs
	$(BIN)/sphinx-build -b linkcheck docs docs/_build/linkcheck

clean:
	rm -rf $(VENV) build dist docs/_build docs/auto_examples docs/generated .pytest_cache .ruff_cache .mypy_cache
