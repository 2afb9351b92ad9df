# What a newcomer needs: make demo, make test. Everything else is a part of those.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := build

PROVIDER  ?= podman
PROVIDERS ?= podman docker

SEED      ?=
ROUNDS    ?= 1000

.PHONY: build install test test-unit test-fuzz test-e2e lint format chaos soak bench demo demo-clean down toolchain help

help: ## list the targets
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## /  \1\t/' | expand -t 16

build: ## bin/kubectl-e2eimage
	go build -trimpath -o bin/ ./cmd/kubectl-e2eimage

install: ## into the Go bin folder, which has to be on PATH
	go install -trimpath ./cmd/kubectl-e2eimage

FUZZTIME  ?= 5s

test: test-unit test-fuzz test-e2e ## unit tests, a little fuzzing, then the end-to-end suite on real clusters

test-unit: toolchain ## no engine needed
	go test -race ./pkg/... ./internal/... ./cmd/... ./test/arrows/... ./test/internal/... ./test/cluster/...

test-fuzz: ## what reads what others wrote, for FUZZTIME each
	go test -run '^$$' -fuzz '^FuzzArchives$$' -fuzztime $(FUZZTIME) -fuzzminimizetime 1x ./pkg/internal/ociimage
	go test -run '^$$' -fuzz '^FuzzRender$$' -fuzztime $(FUZZTIME) -fuzzminimizetime 1x ./pkg/internal/manifest

test-e2e: toolchain ## on each of PROVIDERS, setting up what is missing
	@for provider in $(PROVIDERS); do \
	  echo "== end-to-end on $$provider"; \
	  go test -race -count=1 -timeout 45m ./test/e2e -provider "$$provider"; \
	done

chaos: ## ROUNDS of random commands and faults on a real cluster (PROVIDER, SEED)
	go test -count=1 -timeout 0 -v ./test/e2e -provider "$(PROVIDER)" -parallel 5 -run '^TestChaos$$' -chaos.worlds 4 -chaos.rounds $(ROUNDS) $(if $(SEED),-chaos.seed $(SEED))

soak: ## ROUNDS of change, build, load, tag, deploy, clean: nothing may grow (PROVIDER)
	go test -count=1 -timeout 0 -v ./test/e2e -provider "$(PROVIDER)" -run '^TestRoundsLeaveNothingBehind$$' -rounds $(ROUNDS)

bench: ## against what people do without it, on a real cluster (PROVIDER)
	go run ./test/bench -provider "$(PROVIDER)"

lint: ## formatting, vet, staticcheck, import arrows
	@unformatted=$$(go tool -modfile=tools/go.mod gofumpt -l cmd internal pkg test examples); \
	  if [ -n "$$unformatted" ]; then echo "make format would change:"; echo "$$unformatted"; exit 1; fi
	go vet ./...
	go tool -modfile=tools/go.mod staticcheck ./...
	go test -count=1 ./test/arrows/...

format: ## gofumpt in place
	go tool -modfile=tools/go.mod gofumpt -w cmd internal pkg test examples

demo: ## the main job on a real 3-node cluster, from nothing (PROVIDER=podman|docker)
	PROVIDER=$(PROVIDER) test/demo.sh

demo-clean: ## every trace of the demo
	PROVIDER=$(PROVIDER) test/demo.sh clean

down: ## stop what the test set-up started and drop its caches
	go run ./test/cluster down --purge

# The race detector needs a C compiler.
toolchain:
	@command -v gcc >/dev/null || command -v cc >/dev/null || { \
	  [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends gcc libc6-dev; } || \
	  { echo "the race detector needs a C compiler: install gcc"; exit 1; }
