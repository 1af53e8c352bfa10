# The commands of this project. `make` alone lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help
# Python 3.11 or later: the one called python3.11 where there is one.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: help demo test check format lock schemas dashboards pictures bench money interleavings simulate transactions chaos soak fuzz mutations mutations-domain versions figures sbom licences image clean

help: ## list the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

$(READY): requirements-dev.lock pyproject.toml
	@echo "installing into $(VENV) (the first time takes about a minute)"
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	  || { echo "Python 3.11 or later is needed; name it with PYTHON=…"; exit 1; }
	@test -x $(BIN)/python || "$(PYTHON)" -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: $(READY) ## install, start everything, book a few hundred orders, show what came of each (ORDERS=FILE: your own, also WooCommerce and Shopify exports)
	@$(BIN)/python -m sandbox.demo $(if $(ORDERS),--orders-file "$(ORDERS)") $(DEMO)

test: $(READY) ## install and pass every test (TESTS=path for a part)
	@$(BIN)/python -m pytest $(TESTS)

check: $(READY) ## formatting, linters, types, generated files: what CI checks besides the tests
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/python -m schemas.generate --check
	@$(BIN)/python -m consumer.cli.reference --check
	@$(BIN)/python -m deploy.supply_chain.licences --check
	@$(BIN)/python -m deploy.monitoring.generate --check
	@$(BIN)/python -m deploy.k8s.prometheus_rule --check

format: $(READY) ## put the code into shape
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

schemas: $(READY) ## write the generated schemas and tables of the docs again
	@$(BIN)/python -m schemas.generate
	@$(BIN)/python -m consumer.cli.reference

dashboards: $(READY) ## write the dashboards and the rules of Kubernetes again
	@$(BIN)/python -m deploy.monitoring.generate
	@$(BIN)/python -m deploy.k8s.prometheus_rule

pictures: $(READY) ## half an hour of a demo under Prometheus, and a picture of each dashboard (needs Debian's prometheus)
	@$(BIN)/python -m deploy.monitoring.pictures $(PICTURES)

bench: $(READY) ## run the benchmarks (several minutes)
	@for file in bench/*.py; do echo "== $$file"; $(BIN)/python $$file || exit 1; done

money: $(READY) ## a million random orders through the mapping, with a table by feature (half an hour; MONEY="--orders N")
	@$(BIN)/python -m tests.money.million $(MONEY)

interleavings: $(READY) ## a hundred thousand orders told in any order, with crashes and faults (an hour; INTERLEAVINGS="--count N --seed N")
	@$(BIN)/python -m tests.interleaving.many $(INTERLEAVINGS)

simulate: $(READY) ## play 20,000 simulated schedules, with the coverage (SIMULATE="--seeds 100000 --page docs/reliability.md")
	@$(BIN)/python -m tests.simulation $(or $(SIMULATE),--seeds 20000)

transactions: $(READY) ## every pair of the stores' methods, statement by statement, on Postgres
	@$(BIN)/python -m tests.transactions.all $(TRANSACTIONS)

chaos: $(READY) ## kill real processes at every point, twenty times, and the faults (an hour; CHAOS="--seeds 3")
	@$(BIN)/python -m tests.chaos $(or $(CHAOS),--seeds 20)

soak: $(READY) ## ninety minutes of load with a fault every half minute, and the faults that take long (SOAK="--minutes 10")
	@$(BIN)/python -m tests.chaos.soak $(SOAK)

fuzz: $(READY) ## a million spoilt inputs for every parser (FUZZ="--inputs 100000 --page")
	@$(BIN)/python -m tests.fuzz $(FUZZ)

mutations: $(READY) ## plant every bug of the list and show who catches it (an hour; MUTATIONS="--only WORD")
	@$(BIN)/python -m tests.mutations.planted $(MUTATIONS)

mutations-domain: $(READY) ## mutate the domain and list what survives (hours; MUTATIONS_DOMAIN="--module NAME")
	@$(BIN)/python -m tests.mutations.domain $(MUTATIONS_DOMAIN)

versions: $(READY) ## the stores and the broker's adapters on older versions of Postgres and Kafka (an hour)
	@for version in 14 15 16 17; do $(BIN)/python -m tests.connections --postgres $$version --kafka 3 -- tests/conformance -q || exit 1; done

figures: $(READY) ## measure all figures of the docs again and write them there (many hours; FIGURES=word for a part)
	@$(BIN)/python -m bench.figures --only "$(FIGURES)"

sbom: $(READY) ## write the bill of materials of the program (CycloneDX) to dist/booked.cdx.json
	@mkdir -p dist
	@$(BIN)/python -W ignore -m cyclonedx_py requirements requirements.lock --pyproject pyproject.toml \
	  --output-reproducible --of JSON -o dist/booked.cdx.json

licences: $(READY) ## write docs/licences.md again
	@$(BIN)/python -m deploy.supply_chain.licences

image: ## build the container image (IMAGE_BASE=python:3.11-slim-bookworm@sha256:… fixes the base; EXTRAS=tracing)
	docker build $(if $(IMAGE_BASE),--build-arg BASE_IMAGE="$(IMAGE_BASE)") $(if $(EXTRAS),--build-arg EXTRAS="$(EXTRAS)") \
	  --build-arg VERSION="$$(sed -n 's/^__version__ = "\(.*\)"/\1/p' consumer/__init__.py)" \
	  --build-arg REVISION="$$(git rev-parse HEAD)" --build-arg CREATED="$$(git log -1 --format=%cI)" -t booked .

lock: ## resolve the dependencies again (needs uv)
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header pyproject.toml -o requirements.lock
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --all-extras pyproject.toml -c requirements.lock -o requirements-dev.lock
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --extra tracing pyproject.toml -c requirements-dev.lock -o requirements-tracing.lock

clean: ## remove what was installed and built here
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache dist .sandbox
