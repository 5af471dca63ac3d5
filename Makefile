# Each target does all its own set-up on a machine with Python >= 3.11 and make.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
OUT ?= demo

.PHONY: demo test bench docs lint lock notebooks jupyter clean

# The environment is made once and again when the pinned versions change.
$(VENV)/.run: requirements/run.txt
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed; this is " + sys.version.split()[0] + ". Try: make PYTHON=python3.12") if sys.version_info < (3, 11) else None'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/run.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	$(BIN)/python -m htx_pipeline.graph.kernels
	@touch $@

$(VENV)/.dev: $(VENV)/.run requirements/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@

demo: $(VENV)/.run
	$(BIN)/htx demo --out $(OUT)

test: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m htx_pipeline.schemas.generate --check
	$(BIN)/dg check defs
	$(BIN)/sphinx-build -W --keep-going -q -b html docs docs/_build/html
	$(BIN)/python -m pytest --doctest-modules tests htx_pipeline -n auto --dist loadfile

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(VENV)/.dev
	$(BIN)/sphinx-build -W --keep-going -q -b html docs docs/_build/html
	@echo "docs/_build/html/index.html"

bench: $(VENV)/.dev
	$(BIN)/python -m benchmarks.run

# Opens in the browser; the sample province is made first where there are no tables.
notebooks: $(VENV)/.dev
	MARIMO_SKIP_UPDATE_CHECK=1 $(BIN)/marimo edit notebooks

# The same notebooks for Jupyter, in build/notebooks.
jupyter: $(VENV)/.dev
	@mkdir -p build/notebooks
	for book in notebooks/n*.py; do $(BIN)/marimo export ipynb $$book --sort topological -f -o build/notebooks/$$(basename $$book .py).ipynb || exit 1; done

# For maintainers: pin the versions again. Needs uv on the path.
lock:
	uv pip compile pyproject.toml --universal --no-strip-extras --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --quiet -o requirements/run.txt
	uv pip compile pyproject.toml --extra dev --extra notebooks --constraint requirements/run.txt --universal --no-strip-extras --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --quiet -o requirements/dev.txt

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
