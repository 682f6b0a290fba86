# Two commands are enough: `make demo` shows what hornbook does, `make test` checks all of it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RIVAL := $(VENV)-rival
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: demo test test-one-half test-other-half check test-slow attacks bench-sandbox bench-exercises coverage classifier format clean test-ray bench-corpus

demo: $(VENV)/.ready-demo
	$(BIN)/hornbook run laptop

# Half of the suite on each of two processors.
ONE_HALF := tests/synthesis tests/teacher tests/sandbox

test: check
	$(BIN)/coverage erase
	$(MAKE) --jobs 2 test-one-half test-other-half
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report --skip-covered --fail-under=85

check: $(VENV)/.ready-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test-one-half: $(VENV)/.ready-dev
	$(BIN)/coverage run -m pytest $(ONE_HALF)

test-other-half: $(VENV)/.ready-dev
	$(BIN)/coverage run -m pytest $(ONE_HALF:%=--ignore=%)

test-slow: $(VENV)/.ready-dev
	$(BIN)/python -m pytest -m slow --timeout=3000

test-ray: $(VENV)/.ready-dev  ## the corpus stage on a Ray cluster of two workers: installs Ray, a quarter of a gigabyte
	$(INSTALL) --editable '.[train,dev,ray]'
	$(BIN)/python -m pytest -m ray tests/corpus/test_ray.py

attacks: $(VENV)/.ready-dev  ## what every level of isolation stops, attack by attack
	$(BIN)/python tests/sandbox/attacks.py

bench-sandbox: $(VENV)/.ready-dev  ## speed beside rivals, agreement of mutants with a plain run, 100,000 programs
	$(BIN)/python benchmarks/sandbox.py
	$(BIN)/python benchmarks/agreement.py
	$(BIN)/python benchmarks/endurance.py --programs 100000

bench-exercises: $(VENV)/.ready-dev  ## 20,000 composed exercises: sound, different, killed by their tests, quickly written
	$(BIN)/python benchmarks/procedural.py -n 20000

bench-corpus: $(VENV)/.ready-dev  ## the corpus stage: step by step, on 5 GB, and deduplication beside datatrove, which it installs apart
	$(BIN)/python benchmarks/curation.py
	$(BIN)/python benchmarks/scale.py --gigabytes 5
	$(BIN)/python benchmarks/grouping.py --millions 3
	test -x $(RIVAL)/bin/python || $(PYTHON) -m venv $(RIVAL)
	$(RIVAL)/bin/python -m pip install --quiet --editable . 'datatrove>=0.10,<0.11' spacy 'xxhash<4' orjson
	$(RIVAL)/bin/python benchmarks/dedupe.py

classifier: $(VENV)/.ready-dev  ## train the packaged classifier again from the packaged readings
	$(BIN)/python -m hornbook.quality.package

format: $(VENV)/.ready-dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

$(VENV)/.ready-demo: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(INSTALL) --editable '.[train]'
	touch $@

$(VENV)/.ready-dev: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(INSTALL) --editable '.[train,dev]'
	touch $@ $(VENV)/.ready-demo

clean:
	rm -rf $(VENV) $(RIVAL) build dist .coverage* .pytest_cache .mypy_cache .ruff_cache
