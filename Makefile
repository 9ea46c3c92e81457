# `make demo` and `make test` are all one needs. Each sets up what it wants, and nothing twice.
#
#   make demo    run the flights example as a pipeline
#   make test    all tests
#   make lint    ruff, mypy, import-linter, tsc, eslint, prettier, stylelint
#   make bench   the benchmarks
#   make soak    what must be survived, at length: steps, deaths at any file, the service hurt in every way, clocks
#   make lab     JupyterLab with the example open
#   make format  let the formatters write
#   make clean   remove what was built, and the environment

PYTHON ?= python3
NOTEBOOK ?= example_notebooks/flights.ipynb

, := ,
VENV := .venv
MADE := $(VENV)/.made
FRONT := jupyter_pipelines/labextension
# A shell in which the environment's commands (jupyter, jlpm, …) are found first.
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
export VIRTUAL_ENV := $(CURDIR)/$(VENV)
SUDO := $(shell [ "$$(id -u)" = 0 ] || command -v sudo)
BROWSERS := chromium chromium-browser google-chrome

.DEFAULT_GOAL := setup
.DELETE_ON_ERROR:
.PHONY: setup demo test lint bench soak lab format clean

setup: $(MADE)/package $(MADE)/front-end

demo: setup
	@jupyter pipelines run $(NOTEBOOK) --output $(VENV)/demo/$(notdir $(NOTEBOOK))
	@echo 'Open it in JupyterLab:  make lab NOTEBOOK=$(VENV)/demo/$(notdir $(NOTEBOOK))'

lab: setup
	@jupyter lab $(if $(filter 0,$(shell id -u)),--allow-root) $(NOTEBOOK)

test: setup $(MADE)/test $(MADE)/browser $(MADE)/postgresql $(MADE)/lake
	@cd labextension && jlpm test
	@python -m pytest --numprocesses=2 --dist=loadscope --no-loadscope-reorder

lint: setup $(MADE)/lint
	ruff check .
	ruff format --check .
	mypy
	lint-imports --no-cache
	cd labextension && jlpm lint

bench: setup $(MADE)/bench
	@python tests/benchmarks/run.py

SOAKS := many_steps moments any_file kills libraries setups service clock every_minute
soak: setup $(MADE)/test $(SOAKS:%=soak-%)
soak-%:
	@echo "$*" && python tests/faults/$*.py

format: setup $(MADE)/lint
	ruff check --fix .
	ruff format .
	cd labextension && jlpm format

clean:
	rm -rf $(VENV) $(FRONT) labextension/lib labextension/node_modules labextension/tsconfig.tsbuildinfo dist

# --- Python -----------------------------------------------------------------------------------------------------------

$(VENV)/bin/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo 'Python 3.11 or newer is needed. Name one with: make PYTHON=/path/to/python3'; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo 'This Python has no `venv`: installing the package python3-venv.'; \
	  $(SUDO) apt-get update -qq && $(SUDO) apt-get install -y -qq python3-venv && $(PYTHON) -c 'import ensurepip'; } || { \
	  echo 'Install your system'"'"'s package for it (Debian, Ubuntu: apt install python3-venv) and try again.'; exit 1; }
	$(PYTHON) -m venv $(VENV)

# Installs the package in editable form, with extras. The front end is built by the rules below, not by pip, and linked to
# where JupyterLab looks; pip must not meet the link, or it would write and delete behind it.
LINK := $(VENV)/share/jupyter/labextensions/jupyter-pipelines
define link
  mkdir -p $(dir $(LINK)) && rm -rf $(LINK) && ln -s $(CURDIR)/$(FRONT) $(LINK)
endef
define install
  @echo "Installing $(1) (this takes a few minutes the first time)"
  @mkdir -p $(MADE) $(FRONT)
  @rm -rf $(LINK)
  @HATCH_JUPYTER_BUILDER_SKIP_NPM=1 python -m pip install --quiet --disable-pip-version-check --editable $(1)
  @$(link)
  @touch $@
endef

$(MADE)/package: pyproject.toml labextension/package.json | $(VENV)/bin/pip
	$(call install,'.[examples]' 'jupyter-builder>=1.3$(,)<2')

$(MADE)/test $(MADE)/lint $(MADE)/bench: $(MADE)/%: $(MADE)/package
	$(call install,'.[$*]')

# --- Front end --------------------------------------------------------------------------------------------------------

$(MADE)/node_modules: labextension/package.json labextension/yarn.lock labextension/.yarnrc.yml $(MADE)/package
	@command -v node >/dev/null || { echo 'Node.js 20 or newer is needed to build the front end.'; exit 1; }
	cd labextension && jlpm install --immutable
	@touch $@

SOURCES := $(shell find labextension/src labextension/style labextension/schema -type f)

$(MADE)/front-end: $(MADE)/node_modules labextension/tsconfig.json $(SOURCES)
	cd labextension && jlpm build:prod
	@$(link)
	@touch $@

# --- Browser ----------------------------------------------------------------------------------------------------------

$(MADE)/browser: | $(VENV)/bin/pip
	@for name in $(BROWSERS); do command -v $$name && exit 0; done; \
	  echo 'Installing Chromium for the browser tests.'; \
	  $(SUDO) apt-get update -qq && $(SUDO) apt-get install -y -qq chromium
	@mkdir -p $(MADE) && touch $@

# --- PostgreSQL -------------------------------------------------------------------------------------------------------

$(MADE)/postgresql: | $(VENV)/bin/pip
	@{ command -v initdb || ls /usr/lib/postgresql/*/bin/initdb; } >/dev/null 2>&1 || { \
	  echo 'Installing PostgreSQL for the tests of external sources.'; \
	  $(SUDO) apt-get update -qq && $(SUDO) apt-get install -y -qq postgresql; } || \
	  echo 'It could not be installed: those tests are skipped.'
	@mkdir -p $(MADE) && touch $@

# --- Lakes ------------------------------------------------------------------------------------------------------------

# The DuckDB that has extensions for lakes, beside the newest one: tests put it before that one for what they start.
LAKE := import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]["ducklake"])
$(MADE)/lake: pyproject.toml | $(VENV)/bin/pip
	@echo 'Installing DuckDB with its extensions for the tests of lakes.'
	@rm -rf $(VENV)/lake
	@python -m pip install --quiet --disable-pip-version-check --no-deps --target $(VENV)/lake \
	  $$(python -c '$(LAKE)') || echo 'They could not be installed: those tests are skipped.'
	@mkdir -p $(MADE) && touch $@
