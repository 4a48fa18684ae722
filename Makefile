# What a newcomer and CI run. `make help` lists it.
.DEFAULT_GOAL := help
.PHONY: help setup demo test check bench clean

BIN := .venv/bin
# two torch threads on shared cores are many times slower than one
export OMP_NUM_THREADS ?= 1
export OMP_WAIT_POLICY ?= PASSIVE
# JOBS: processes of tests and trainings. REQUIRE=all: a test that lacks bubblewrap or OpenGL fails instead of being skipped.
JOBS ?= 2
REQUIRE ?=

help: ## say what can be made
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

setup: ## make .venv and install everything into it
	@scripts/setup

demo: setup ## from a sentence to a policy: replays a recorded model, trains live (no key needed)
	@$(BIN)/reward-agent doctor
	@echo "The prompts of this demo are terse on purpose (examples/terse_prompts), so that a fault and its repair are seen."
	@$(BIN)/reward-agent run mujoco/hopper-forward --llm replay:mujoco/hopper-forward/text2reward \
		--prompts examples/terse_prompts --story --yes --jobs $(JOBS) --budget 300000

test: ## run the tests
	@$(BIN)/python -m pytest -q -n $(JOBS) --require "$(REQUIRE)"

check: ## style, types, import layers, the wheel's contents
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/python -m pytest -q tests/test_layers.py tests/test_packaging.py

bench: ## training throughput beside other ways of doing it
	@$(BIN)/python benchmarks/throughput.py

clean: ## remove what can be made again; runs stay
	rm -rf .venv build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache
