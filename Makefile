# make run   sets up on first use and opens the app
# make test  sets up and runs every check that CI runs
# make gpu   puts the GPU build of TensorFlow in the place of the CPU build
# make lock  resolves requirements*.txt anew into the lock files

VENV := .venv
BIN := $(VENV)/bin
# TensorFlow has wheels for Python 3.11 to 3.13.
PYTHON ?= $(shell for p in python3.12 python3.11 python3.13 python3; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys, venv; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null \
	&& echo $$p && break; done)

.PHONY: run test check gpu lock clean

run: $(VENV)/run-ready
	@exec $(BIN)/python app.py --open

test: $(VENV)/test-ready check

check:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile -m "not (browser or alone)"
	$(BIN)/python -m pytest -m "browser or alone"

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Compute Canvas needs Python 3.11, 3.12 or 3.13 with its venv module (Debian: apt install python3-venv)."; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/run-ready: requirements.lock | $(BIN)/python
	@echo "Installing; the first time takes a minute or two."
	$(BIN)/python -m pip install --quiet --no-deps --disable-pip-version-check -r requirements.lock
	@touch $@

$(VENV)/test-ready: requirements.lock requirements-dev.lock | $(BIN)/python
	$(BIN)/python -m pip install --quiet --no-deps --disable-pip-version-check -r requirements-dev.lock
	@touch $@ $(VENV)/run-ready

gpu: $(VENV)/run-ready
	$(BIN)/python -m pip uninstall --quiet --yes tensorflow-cpu
	$(BIN)/python -m pip install --quiet -r requirements-gpu.txt

lock: $(VENV)/test-ready
	$(BIN)/python -m pip install --quiet uv
	UV_CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/uv pip compile --universal --python-version 3.11 --upgrade --no-emit-index-url -q requirements.txt -o requirements.lock
	UV_CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/uv pip compile --universal --python-version 3.11 --no-emit-index-url -q requirements-dev.txt -c requirements.lock -o requirements-dev.lock

clean:
	rm -rf $(VENV) build .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
