# Every task of this repository. `make help` lists them.

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
TASK   ?=
FILES  ?=
MODEL  ?=
TORCH  ?= 2.13.0
ARGS   ?=
RUNS   ?=

.DEFAULT_GOAL := help

.PHONY: help
help: ## List the tasks
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 20

$(VENV)/.base: requirements/base.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' \
	  || { echo "This needs Python 3.11 to 3.14; name one with: make $(MAKECMDGOALS) PYTHON=/path/to/python3" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) \
	  || { echo "Could not make a virtual environment; on Debian and Ubuntu: sudo apt-get install python3-venv" >&2; exit 1; }
	@echo "Installing what is locked in requirements/base.txt (once, about a minute) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/base.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.base requirements/dev.txt
	@echo "Installing the tools of development, locked in requirements/dev.txt (once) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@

.PHONY: setup
setup: $(VENV)/.dev ## Set up everything for development

.PHONY: check
check: $(VENV)/.dev ## Check format, lint and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

.PHONY: format
format: $(VENV)/.dev ## Format the code and mend what the linter can mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

.PHONY: lock
lock: ## Pin the newest versions that pyproject.toml admits, with hashes (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate \
	  pyproject.toml requirements/build.in -o requirements/base.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate \
	  pyproject.toml requirements/build.in --extra data --group dev -c requirements/base.txt -o requirements/dev.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate \
	  requirements/transformers.in -c requirements/dev.txt --excludes requirements/transformers.without \
	  -o requirements/transformers.txt
	echo 'ray[data]>=2.40' | uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-annotate --no-header - -c requirements/dev.txt -o requirements/ray.txt

.PHONY: run
run: export OCINT_JOB = $(TASK)
run: $(VENV)/.base ## Do a job: make run TASK="…" FILES="a.csv b.json" (without them: an example)
	@if [ -n "$$OCINT_JOB" ]; then \
	  $(BIN)/ocint run "$$OCINT_JOB" $(foreach file,$(FILES),--file "$(file)") $(if $(MODEL),--model "$(MODEL)"); \
	else \
	  $(BIN)/ocint run "$$(cat examples/task.txt)" --file examples/penguins.csv $(if $(MODEL),--model "$(MODEL)"); \
	fi
	@echo
	@echo "Next: $(BIN)/ocint chat          a conversation, with the same sandbox throughout"
	@echo "      $(BIN)/ocint run --help    one job at a time"
	@echo "      $(BIN)/ocint doctor        what works on this machine"

.PHONY: web
web: $(VENV)/.base ## Open the web page in your browser, until Ctrl-C: make web (ARGS="--no-browser" prints its link only)
	$(BIN)/ocint web $(if $(MODEL),--model "$(MODEL)") $(ARGS)

$(VENV)/.torch: $(VENV)/.dev requirements/transformers.txt
	@echo "Installing torch $(TORCH) and what is locked in requirements/transformers.txt (once) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check "torch==$(TORCH)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/transformers.txt
	@touch $@

# One more than there are processors, since many tests wait for something; past four they only get into each other's way.
WORKERS ?= $(shell n=$$(( $$(getconf _NPROCESSORS_ONLN) + 1 )); echo $$(( n < 4 ? n : 4 )))

.PHONY: test
test: $(if $(TORCH),$(VENV)/.torch,$(VENV)/.dev) ## Run the whole test suite: real sandbox, real 0.5B model (make test TORCH= does without torch)
	@$(BIN)/ocint models pull qwen2.5-coder-0.5b
	@$(if $(TORCH),$(BIN)/ocint models pull smollm2-135m)
	$(BIN)/pytest --numprocesses=$(WORKERS) --dist=worksteal $(ARGS)

.PHONY: test-ray
test-ray: $(VENV)/.dev ## Run the tests of the ray extra (installs Ray)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/ray.txt
	$(BIN)/pytest -m ray $(ARGS)

.PHONY: bench
bench: $(VENV)/.base ## Measure speed and memory beside bare parts, and the grader beside EvalPlus (wants a quiet machine)
	$(BIN)/python -m benchmarks.speed $(ARGS)

.PHONY: bench-serving
bench-serving: $(VENV)/.base ## Measure 1, 10 and 50 sessions at once, and people who share a model (wants a quiet machine; resumable)
	$(BIN)/python -m benchmarks.serving --records docs/results/records/serving.jsonl --write docs/results/serving.md $(ARGS)

.PHONY: crosscheck
crosscheck: $(VENV)/.base ## Compare verdicts with those of EvalPlus 0.3.1: make crosscheck RUNS="runs/a runs/b" (resumable)
	$(BIN)/python -m benchmarks.grading.crosscheck $(RUNS) $(ARGS)

.PHONY: steady
steady: $(VENV)/.base ## Grade 20 times on busy processors, and count what changes: make steady RUNS="runs/a" (resumable)
	$(BIN)/python -m benchmarks.grading.steady --times 20 $(RUNS) $(ARGS)

.PHONY: real-use
real-use: $(VENV)/.base ## Measure a model on the tasks of real use: make real-use MODEL=qwen2.5-coder-0.5b (hours; resumable)
	@mkdir -p output
	$(BIN)/python -m benchmarks.realuse.run --model $(or $(MODEL),qwen2.5-coder-1.5b) --seeds 3 \
	  --out output/realuse-$(notdir $(or $(MODEL),qwen2.5-coder-1.5b)).jsonl $(ARGS)
	$(BIN)/python -m benchmarks.realuse.report output/realuse-*.jsonl
