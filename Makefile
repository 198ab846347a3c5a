# Everything one does with Vestnik. `make` alone lists it. Each target sets up what it needs first.
PY := .venv/bin/python
PYTEST := $(PY) -m pytest -n 2 --dist loadfile --no-loadscope-reorder
export JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION := 20
export UV_SYSTEM_CERTS := 1
# Without .pyc each process compiles half a million lines anew: three times the time until the first test runs.
unexport PYTHONDONTWRITEBYTECODE
CDK := node_modules/.bin/cdk
STAGE ?= dev
# The CDK writes dependencies that its references imply already; a linter's warning about them helps nobody.
CFN_LINT := .venv/bin/cfn-lint --ignore-checks W3005 --

.DEFAULT_GOAL := help
.PHONY: help run test slow faults bench lint types contracts prism docs locks layers synth smoke doctor deploy first-key domain clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

.venv/.set-up: requirements/dev.txt infra/setup.sh
	@sh infra/setup.sh

node_modules/.set-up: package-lock.json
	npm ci --silent --no-audit --no-fund
	@touch $@

run: .venv/.set-up ## a shop's day in the local world, then its outbox served (ARGS=...)
	$(PY) -m infra.local $(ARGS)

test: .venv/.set-up ## the tests but for the slow ones, with a sample of the faults (ARGS=...)
	$(PYTEST) -m "not slow" $(ARGS)

slow: .venv/.set-up ## the tests that take some seconds each (ARGS=...)
	$(PYTEST) -m slow $(ARGS)

faults: .venv/.set-up ## faults in every call of the main story, and in a share of a stock's and of an order's
	$(PY) -m tests.faults $(ARGS)

bench: .venv/.set-up ## speeds, cold starts and cost, against floors of the same run
	$(PY) -m benchmarks $(ARGS)

lint: .venv/.set-up ## ruff: rules and format
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .

types: .venv/.set-up ## mypy, strict
	.venv/bin/mypy

prism: .venv/.set-up node_modules/.set-up ## marketplaces' requests against the official specifications, where present
	$(PY) -m tests.prism

contracts: .venv/.set-up ## imports go one way
	.venv/bin/lint-imports --no-logo

docs: .venv/.set-up ## write what docs and golden files derive from the code
	$(PY) -m infra.printed_map > tests/golden/map.txt
	$(PY) -m infra.docs

locks: .venv/.set-up ## resolve requirements/*.in anew (LOCK="--upgrade" for newer versions)
	for name in dev runtime smoke; do \
	  .venv/bin/uv pip compile -q --generate-hashes --no-emit-index-url --python-version 3.13 $(LOCK) \
	    $$(test $$name = runtime && echo "-c requirements/dev.txt") requirements/$$name.in -o requirements/$$name.txt; done

layers: .venv/.set-up ## the Lambda layers, without Docker
	$(PY) -m infra.layers

synth: .venv/.set-up ## templates in cdk.out, judged by cdk-nag and cfn-lint
	rm -rf cdk.out
	$(PY) -m infra.app -c stage=$(STAGE)
	$(CFN_LINT) cdk.out/*.template.json

smoke: .venv/.set-up node_modules/.set-up ## the same map deployed to an emulator, and the main story played there
	$(PY) -m infra.smoke $(ARGS)

doctor: .venv/.set-up ## is this AWS account ready? (STAGE=...)
	$(PY) -m infra.deploy_check -c stage=$(STAGE) $(ARGS)

deploy: .venv/.set-up node_modules/.set-up doctor ## all stacks into the account of your AWS credentials (STAGE=...)
	$(CDK) deploy --all --require-approval broadening -c stage=$(STAGE) $(ARGS)

first-key: .venv/.set-up ## the first admin key of a shop (STAGE=... SHOP=...)
	$(PY) -m infra.first_key --stage $(STAGE) --shop $(SHOP)

domain: .venv/.set-up ## which shop may write from which domain (STAGE=... ARGS="grant SHOP DOMAIN")
	$(PY) -m infra.sending_domains --stage $(STAGE) $(ARGS)

clean: ## what can be made again
	rm -rf build cdk.out .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
