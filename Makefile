# The two commands of this project are `make up` and `make test`; `make help` lists the others.
SHELL := /bin/sh
PY := .venv/bin/python
LAB := $(PY) -m lab
comma := ,
export PYTHONDONTWRITEBYTECODE := 1

.DEFAULT_GOAL := help
.PHONY: help setup up down clean artefact site images check-image lab-up lab-down lab-doctor lab-mirror logs helm chart lint test-unit test-chart test-host \
	test-fresh test-preflight \
	test-report test-controller test-integration test-cluster test-mirror test test-all

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 20

setup: ## .venv with everything that is pinned in requirements-dev.txt
	@dev/bootstrap.sh

up: setup ## a kind cluster on this machine with the agent, PostgreSQL and Redis in it
	@$(LAB) up

down: setup ## remove that cluster
	@$(LAB) down

clean: ## remove everything this checkout built (CACHE=1: the user's cache as well)
	@if [ -x $(PY) ]; then $(LAB) clean; else rm -rf .lab build .ansible .venv; fi

images: setup ## build the images on their public base images and push them: make images REGISTRY=registry.example.com/team
	@REGISTRY="$(REGISTRY)" $(LAB) images

lab-up: setup ## the cluster with the images in its registry, nothing deployed
	@$(LAB) lab-up

lab-down: down

lab-doctor: setup ## what is there, what is missing, versions, disk and memory used
	@$(LAB) doctor

lab-mirror: setup ## what a mirror for a closed network must hold
	@$(LAB) mirror

logs: setup ## logs of nodes and pods, and events, in one folder without secrets
	@$(LAB) logs

helm: setup
	@$(LAB) helm

chart: setup ## the assembled chart in build/ai-agent-chart (SUBCHARTS=bitnami for Bitnami's)
	@$(PY) -m dev.assemble_chart $(if $(SUBCHARTS),--subcharts $(SUBCHARTS),)

# The lab's images and cluster, or an inventory of your own.
check-image: setup ## try an image against docs/agent-image.md: make check-image IMAGE=registry.example.com/team/agent:1.0.0 [VALUES=file] [INVENTORY=folder]
	@.venv/bin/ansible-playbook -i $(or $(INVENTORY),inventories/dev --vault-id dev@lab/dev-vault-password) playbooks/check_image.yml \
		$(if $(INVENTORY),,$(if $(wildcard .lab/vars.yml),-e @.lab/vars.yml)) $(if $(IMAGE),-e ai_agent_check_image=$(IMAGE)) \
		$(if $(VALUES),-e "ai_agent_values={{ lookup('ansible.builtin.file'$(comma) '$(abspath $(VALUES))') | from_yaml }}")

artefact: setup ## the collection as users install it, in build/; the same files give the same bytes
	@$(PY) -m dev.artefact

site: setup ## the documentation as a site in build/site, for a browser or any web server
	@$(PY) -m dev.site

lint: setup ## ansible-lint, ansible-test sanity, yamllint, ruff, mypy, helm lint
	@$(PY) -m dev.suite lint

test-unit: setup ## logic, without a server
	@$(PY) -m dev.suite unit

test-chart: setup ## rendered manifests against their schemas
	@$(PY) -m dev.suite chart

test-host: setup ## a newcomer's machine: apt locked, interrupted, behind a stale proxy; bare Debians in containers
	@$(PY) -m dev.suite host

test-preflight: setup ## migration_preflight against PostgreSQL 15 and 18 from PyPI, without Docker
	@$(PY) -m dev.suite preflight

test-report: setup ## the deployment report in a real browser (Debian's headless Chromium is installed where it is missing)
	@$(PY) -m dev.suite report

test-controller: setup ## the collection on controllers that cannot write to it or to a home folder, with a stand-in API server
	@$(PY) -m dev.suite controller

test-integration: setup ## agent, schema.py and images against a real PostgreSQL and Redis (containers)
	@$(PY) -m dev.suite integration

test-cluster: setup ## the lab itself, Molecule's scenarios and the role's bad input on the kind cluster
	@$(PY) -m dev.suite cluster

test-fresh: setup ## the README's two commands on a bare Debian with an engine of its own, from empty caches (FRESH_CACHE=folder lends it some)
	@$(PY) -m dev.suite fresh

test: setup ## lint, unit, chart, host, preflight, report, controller, integration, install and one upgrade on kind
	@$(PY) -m dev.suite lint unit chart host preflight report controller integration cluster

test-mirror: setup ## the lab in a closed network: a local mirror with an authority of its own, and make up takes all from it
	@$(PY) -m dev.suite mirror

test-all: setup ## make test and the longer scenarios: real projects' histories and servers, a release's life, operations and faults under load, three environments, Helm 3, Bitnami, the documentation, lost nodes, a mirror
	@$(PY) -m dev.suite lint unit chart host preflight report controller integration cluster versions histories servers release operations faults kills helm3 bitnami documentation disturbances mirror events fresh sanity
