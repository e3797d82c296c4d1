# Every target sets up what it needs: a machine with Python 3.11-3.14 and pip is enough.
PYTHON ?= python3
DATA ?=
BIN := .venv/bin
UV := .tools/bin/uv
PIP_HINT := install pip for $(PYTHON) (Debian: apt-get install python3-pip; macOS: brew install python)
OLD_HINT := PJAIS Lab needs Python 3.11-3.14; say which with "make PYTHON=python3.12 ..."

# Trust what the system trusts, as pip does: company networks bring their own certificates.
export UV_SYSTEM_CERTS ?= $(if $(wildcard /etc/ssl/certs/ca-certificates.crt),true,false)

# What the views' static files are built from; they are built with the package (hatch_build.py).
JS := hatch_build.py $(shell find js -name node_modules -prune -o -type f -print)
UNBUILT := $(if $(and $(wildcard pjais_lab/views/static/runtime.js),$(wildcard pjais_lab/ext/jupyter/labextension)),,unbuilt)

BROWSERS := chromium chromium-browser google-chrome
BROWSER_HINT := install Chromium (Debian: apt-get install chromium fonts-dejavu), or set PJAIS_CHROMIUM to its path

.DEFAULT_GOAL := help
.PHONY: help lab demo test bench bench-ui chaos monkey lint js chromium fmt pictures constraints clean unbuilt

help:
	@echo "make lab                 open JupyterLab on a demo workspace, at the tour"
	@echo "make demo [DATA=path]    build a town, run the tour headless, print what it found"
	@echo "make test                run every check"
	@echo "make bench | bench-ui    measure the lab | the views in a browser"
	@echo "make chaos | monkey      break things at full length | use the views at random, twenty minutes"
	@echo "make lint | fmt          check | fix the style"
	@echo "make pictures            make the README's pictures from the tour"
	@echo "make constraints         take newer versions of what this needs"
	@echo "make clean               remove what these commands made, workspaces excepted"

lab: .venv/.ready
	$(BIN)/pjais lab

demo: .venv/.ready
	$(BIN)/pjais demo $(if $(DATA),--data "$(DATA)")

# Side by side but for the browser's, whose clicks want the machine for themselves.
test: lint js chromium
	$(BIN)/pytest -n logical --maxprocesses 8 --dist loadfile --ignore tests/browser
	$(BIN)/pytest tests/browser

# Types and tests of the TypeScript.
js: .venv/.ready-dev
	$(BIN)/python hatch_build.py check

# For tests/browser.
chromium:
	@test -n "$$PJAIS_CHROMIUM" || command -v $(BROWSERS) >/dev/null \
	    || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq \
	    && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y chromium fonts-dejavu >/dev/null; } \
	    || { echo 'The browser tests need Chromium: please $(BROWSER_HINT).'; exit 1; }

lint: .venv/.ready-dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports
	$(BIN)/mypy
	$(BIN)/basedpyright

fmt: .venv/.ready-dev
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

# The break tests at full length; `make test` runs the same tests shorter.
chaos: .venv/.ready-dev
	PJAIS_KILLS=$${PJAIS_KILLS:-1000} PJAIS_CHAOS=full $(BIN)/pytest -m chaos --timeout=7200 -s tests

# A random user of every view in a real JupyterLab; `make test` lets it play for a minute.
monkey: .venv/.ready-dev chromium
	PJAIS_MONKEY_S=$${PJAIS_MONKEY_S:-1200} PJAIS_MONKEY_SEED=$${PJAIS_MONKEY_SEED:-$$(date +%s)} \
	    $(BIN)/pytest -q -s --timeout=7200 tests/browser/test_random_use.py

bench: .venv/.ready-bench
	$(BIN)/python -m tests.benchmarks $(ARGS)

# The views in a real JupyterLab, beside quak; commits go on for PJAIS_STEADY_MINUTES (1; asked are 10).
bench-ui: .venv/.ready-dev .venv/.ready-bench chromium
	$(BIN)/pytest -q -s tests/browser/bench_commits.py tests/browser/bench_tables.py tests/browser/bench_pages.py \
	    tests/browser/bench_timeline.py

# The README's pictures, from the tour on the demo's own town and from the browser tests.
pictures: .venv/.ready-dev chromium
	$(BIN)/pjais demo --workspace out/pictures/town --out out/pictures
	$(BIN)/python notebooks/images/make.py out/pictures/00_tour.ipynb
	$(BIN)/pytest -q tests/browser/test_time_machine.py tests/browser/test_event_log.py -k Light
	cp out/browser/time_machine_light.png notebooks/images/time_machine.png
	cp out/browser/event_log_detail_light.png notebooks/images/event_log.png

# Newest versions that the ranges in pyproject.toml allow, for every Python and system at once.
constraints: $(UV)
	$(UV) pip compile pyproject.toml --group dev --group bench --universal --python-version 3.11 \
	    --upgrade --quiet --no-header --no-annotate --no-emit-index-url -o constraints.txt

clean:
	rm -rf .venv .tools dist out js/node_modules pjais_lab/views/static pjais_lab/ext/jupyter/labextension .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

# ------------------------------------------------------------ set-up, once, and when versions change
.venv/.ready: pyproject.toml constraints.txt $(JS) $(UNBUILT) | $(UV)
	@$(BIN)/python -c "" 2>/dev/null || \
	    $(UV) venv --quiet --clear --no-python-downloads --python "$$($(PYTHON) -c 'import sys; print(sys.executable)')" .venv
	$(UV) pip install --quiet --python $(BIN)/python --constraint constraints.txt \
	    --reinstall-package pjais-lab --editable .
	@touch $@

.venv/.ready-%: .venv/.ready
	$(UV) pip install --quiet --python $(BIN)/python --constraint constraints.txt --group $*
	@touch $@

$(UV):
	@$(PYTHON) -c "import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))" || { echo '$(OLD_HINT)'; exit 1; }
	@$(PYTHON) -m pip --version >/dev/null 2>&1 || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null \
	    && apt-get update -qq && apt-get install -qq -y python3-pip; } || { echo 'Please $(PIP_HINT).'; exit 1; }
	$(PYTHON) -m pip install --quiet --disable-pip-version-check --root-user-action=ignore \
	    --target .tools --upgrade "uv>=0.8"
