# `make help` lists the targets.
PYTHON   ?= python3
VENV     := .venv
BIN      := $(VENV)/bin
PAGE     := services/gateway/static
BROWSER  := tests/browser
TRAIN_VENV := .venv-train
BENCH_VENV := .venv-bench
LANGUAGE ?= en
# GNU gettext reads LANGUAGE from the environment; only the command line counts here.
ifneq ($(origin LANGUAGE),command line)
LANGUAGE := en
endif

.DEFAULT_GOAL := help
.PHONY: help run web caption docs test test-browser screenshots test-train train-env test-faults test-images test-bulk test-package test-api test-compose test-k8s lint types format clean bench

help:  ## this list
	@awk -F ':.*##' '/^[a-z0-9-]+:.*##/ {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(VENV)/run.stamp  ## serve on http://127.0.0.1:8000 (Ctrl-C stops)
	@! command -v npm >/dev/null || $(MAKE) --no-print-directory web \
		|| echo "oko: the page could not be built; serving the API without it" >&2
	@$(BIN)/python -m oko.serve

web: $(PAGE)/index.html  ## build the web page (Node.js 20.19 or newer)

caption: $(VENV)/run.stamp  ## caption a file: make caption IMAGE=photo.jpg [LANGUAGE=uk]
	@test -n "$(IMAGE)" || { echo "usage: make caption IMAGE=photo.jpg [LANGUAGE=uk]" >&2; exit 2; }
	@$(BIN)/python -m oko caption "$(IMAGE)" --language "$(LANGUAGE)"

docs: $(VENV)/run.stamp  ## write the table of settings in docs/operations.md
	@$(BIN)/python -m docs.settings

test: $(VENV)/test.stamp exiftool  ## all quick tests: real models, real servers, real Redis
	@$(BIN)/python -m pytest

test-api: $(VENV)/test.stamp  ## schemathesis on the three OpenAPI documents
	@$(BIN)/python -m pytest -m slow -s tests/api

test-faults: $(VENV)/test.stamp  ## dying processes, overload, drain, slow clients (15 minutes)
	@$(BIN)/python -m pytest -m slow -s tests/faults

test-images: $(VENV)/test.stamp  ## 20,000 mutated images (5 minutes)
	@$(BIN)/python -m pytest -m slow -s tests/images

test-bulk: $(VENV)/test.stamp  ## 2,000 photos through `oko caption`, killed and resumed, against the bare encoder (6 minutes)
	@$(BIN)/python -m pytest -m slow -s tests/bulk

test-package: $(VENV)/test.stamp  ## the wheel, installed into an environment of its own
	@$(BIN)/python -m pytest -m slow -s tests/package

test-batch: $(VENV)/test.stamp  ## a Ray cluster of two nodes, one of which dies; cost of a photo; memory (10 minutes)
	@$(BIN)/python -m pytest -m slow -s tests/batch

test-compose: $(VENV)/test.stamp $(VENV)/deploy.stamp  ## build the images, run the stack and the pods, break them (needs Docker)
	@tests/compose/engine.sh
	@$(BIN)/python -m pytest -m slow -s tests/compose

test-k8s: $(VENV)/test.stamp $(VENV)/deploy.stamp  ## manifests: schemas, policies, network, settings
	@$(BIN)/python -m pytest -m slow -s tests/k8s

test-train: $(TRAIN_VENV)/train.stamp  ## training and export (TensorFlow, in an environment of its own)
	@$(TRAIN_VENV)/bin/python -m pytest --confcutdir=tests/train tests/train tests/export

train-env: $(TRAIN_VENV)/train.stamp  ## the environment of `python -m train.…` and `python -m export`

test-browser: $(VENV)/test.stamp web $(BROWSER)/node_modules/.package-lock.json chromium  ## the page in a real Chromium
	@cd web && npm run --silent types && npm test --silent
	@cd $(BROWSER) && npx tsc --noEmit && npm test --silent

screenshots: $(VENV)/test.stamp web $(BROWSER)/node_modules/.package-lock.json chromium  ## docs/screenshots, from the running page
	@cd $(BROWSER) && npm run --silent screenshots

bench: $(VENV)/test.stamp $(BENCH_VENV)/bench.stamp  ## speed and memory, against peers and the machine's limit (10 minutes)
	@$(BIN)/python -m bench

lint: $(VENV)/test.stamp  ## ruff: style and format
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: $(VENV)/test.stamp  ## mypy, strict
	@$(BIN)/mypy

format: $(VENV)/test.stamp  ## let ruff fix what it can
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

clean:  ## remove the environment and caches
	rm -rf $(VENV) $(PAGE) web/node_modules $(BROWSER)/node_modules $(TRAIN_VENV) $(BENCH_VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis

# The page is built again when its sources are newer; nothing is asked of the network otherwise.
$(PAGE)/index.html: web/node_modules/.package-lock.json web/index.html web/vite.config.ts \
		web/tsconfig.json $(shell find web/src web/public -type f)
	@cd web && npm run --silent build
	@touch $@

%/node_modules/.package-lock.json: %/package-lock.json
	@command -v npm >/dev/null || { echo "Node.js 20.19 or newer is needed, with npm." >&2; exit 1; }
	@cd $* && npm ci --silent
	@touch $@

.PHONY: chromium
chromium:
	@command -v chromium >/dev/null || command -v google-chrome >/dev/null || test -x "$(CHROMIUM)" \
		|| { test "$$(id -u)" = 0 && apt-get update -qq \
			&& DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends chromium; } \
		|| { echo "Install Debian's chromium, or set CHROMIUM=path." >&2; exit 1; }

# Reads back what `oko caption --write-metadata` wrote; without it those tests are skipped.
.PHONY: exiftool
exiftool:
	@command -v exiftool >/dev/null \
		|| { test "$$(id -u)" = 0 && apt-get update -qq \
			&& DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends libimage-exiftool-perl; } \
		|| echo "exiftool is missing: Debian has it as libimage-exiftool-perl"

# A stamp per requirements file: nothing is asked of the network while it is up to date.
$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed; set PYTHON=…" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/run.stamp: $(VENV)/bin/python $(addprefix requirements/,run.txt constraints.txt common.txt encoder.txt decoder.txt gateway.txt cli.txt)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements/run.txt
	@touch $@

$(VENV)/test.stamp: $(VENV)/run.stamp requirements/test.txt requirements/batch.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements/test.txt
	@touch $@

$(VENV)/deploy.stamp: $(VENV)/bin/python requirements/deploy.txt
	$(PYTHON) -m venv $(VENV)/deploy
	$(VENV)/deploy/bin/python -m pip install --quiet --disable-pip-version-check -r requirements/deploy.txt
	@touch $@

$(BENCH_VENV)/bench.stamp: requirements/bench.txt
	$(PYTHON) -m venv $(BENCH_VENV)
	$(BENCH_VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	@touch $@

$(TRAIN_VENV)/train.stamp: requirements/train.txt
	$(PYTHON) -m venv $(TRAIN_VENV)
	$(TRAIN_VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r $< pytest==9.2.0
	@touch $@
