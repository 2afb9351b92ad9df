# What a newcomer needs: make demo, make test. Everything else is a part of those.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := build

# podman or docker. Without it the demo takes the engine that is there, the rest podman.
PROVIDER  ?=
ENGINE    := $(or $(PROVIDER),podman)
PROVIDERS ?= podman docker

SEED      ?=
ROUNDS    ?= 1000

.PHONY: build install test test-unit test-fuzz test-e2e test-newer smoke api lint lint-systems vulnerabilities format chaos newest soak bench \
  docs docs-test picture demo demo-clean down toolchain shellcheck dist dist-verify krew-manifest krew-verify help

help: ## list the targets
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## /  \1\t/' | expand -t 16

# Nobody debugs an installed plugin: without its symbols it is half as large. With cgo it
# would export all its functions, which is a sixth of it. The version is what Git says of
# the checkout.
STRIPPED := -trimpath -buildvcs=auto -ldflags '-s -w'

build: ## bin/kubectl-e2eimage
	CGO_ENABLED=0 go build $(STRIPPED) -o bin/ ./cmd/kubectl-e2eimage

install: ## into the Go bin folder, which has to be on PATH
	CGO_ENABLED=0 go install $(STRIPPED) ./cmd/kubectl-e2eimage

FUZZTIME ?= 5s
# How many end-to-end tests run at once. They wait more than they compute.
PARALLEL ?= 4
FUZZ     := -run=^$$ -fuzztime=$(FUZZTIME) -fuzzminimizetime=1x

# The suites: the arguments of go test. Each end-to-end suite has a cluster of its own.
# The limit ends one that hangs; on half the machine a suite takes half of it. One of the unit
# tests builds a registry, which takes minutes the first time.
# The race detector and no symbols for debuggers, which take a third of the linker's time,
# where the product's own code is; the end-to-end tests run it as a process.
UNIT          := -race -ldflags=-w -timeout=30m ./pkg/... ./internal/... ./cmd/... ./test/arrows/... ./test/internal/... ./test/cluster/... ./test/suites/... ./test/krewmanifest/...
FUZZ_ARCHIVES := $(FUZZ) -fuzz=^FuzzArchives$$ ./pkg/internal/ociimage
FUZZ_RENDER   := $(FUZZ) -fuzz=^FuzzRender$$ ./pkg/internal/manifest
FUZZ_HARMLESS := $(FUZZ) -fuzz=^FuzzHarmless$$ ./internal/foreign
E2E           := -count=1 -timeout=75m -parallel=$(PARALLEL) ./test/e2e

# podman runs all end-to-end tests, as root; docker those of what engines and nodes do, as
# a user in the group of its socket; so does a docker of today those of what it does
# otherwise, with containerd's image store.
E2E_PODMAN := $(E2E) -provider=podman
E2E_DOCKER := $(E2E) -provider=docker -scope=engines -ordinary
E2E_TODAY  := $(E2E) -provider=docker-today -scope=today -ordinary

# The pages, on docker, as its ordinary user. A module of its own.
DOCS := -C=test/docs -count=1 -timeout=20m ./run

test: toolchain ## unit tests, a little fuzzing, and the end-to-end suites on real clusters
	go run ./test/suites -at-once 2 \
	  'unit $(UNIT)' 'fuzz-archives $(FUZZ_ARCHIVES)' 'fuzz-render $(FUZZ_RENDER)' 'fuzz-harmless $(FUZZ_HARMLESS)' \
	  'podman $(E2E_PODMAN)' 'docker $(E2E_DOCKER)' 'docker-today $(E2E_TODAY)'

test-unit: toolchain ## no engine needed
	go run ./test/suites 'unit $(UNIT)'

test-fuzz: ## what reads what others wrote, for FUZZTIME each
	go run ./test/suites 'fuzz-archives $(FUZZ_ARCHIVES)' 'fuzz-render $(FUZZ_RENDER)' 'fuzz-harmless $(FUZZ_HARMLESS)'

test-e2e: toolchain ## all end-to-end tests on each of PROVIDERS, one after the other
	go run ./test/suites $(foreach provider,$(PROVIDERS),'$(provider) $(E2E) -provider=$(provider)')

test-newer: toolchain ## what docker of today does otherwise, on docker of Debian sid and on docker 29
	go run ./test/suites $(foreach provider,docker-sid docker-29,'$(provider) $(E2E) -provider=$(provider) -scope=today -ordinary')

smoke: toolchain ## the main flow on one real cluster (PROVIDER), in 2 minutes
	go run ./test/suites 'smoke $(E2E) -provider=$(ENGINE) -scope=smoke'

chaos: ## ROUNDS of random commands and faults on a real cluster (PROVIDER, SEED)
	go test -count=1 -timeout 0 -v ./test/e2e -provider $(ENGINE) -parallel 5 -run '^TestChaos$$' -chaos.worlds 4 -chaos.rounds $(ROUNDS) $(if $(SEED),-chaos.seed $(SEED))

SEQUENCES ?= 100

newest: ## 1000 sequences of random steps on fakes, SEQUENCES on a real cluster: pods run what is newest (PROVIDER, SEED)
	go test -count=1 -timeout 0 ./pkg/e2eimage -run '^TestPodsRunWhatIsNewest$$' -newest.count 1000 $(if $(SEED),-newest.seed $(SEED))
	go test -count=1 -timeout 0 -v ./test/e2e -provider $(ENGINE) -parallel $(PARALLEL) -run '^TestPodsRunWhatIsNewest$$' -newest.sequences $(SEQUENCES) $(if $(SEED),-newest.seed $(SEED))

soak: ## ROUNDS of change, build, load, tag, deploy, clean: nothing may grow (PROVIDER)
	go test -count=1 -timeout 0 -v ./test/e2e -provider $(ENGINE) -run '^TestRoundsLeaveNothingBehind$$' -rounds $(ROUNDS)

bench: ## against what people do without it, on a real cluster (PROVIDER)
	go run ./test/bench -provider $(ENGINE)

docs: ## docs/reference, from what --help says
	go test -count=1 ./internal/cli -run '^TestTheReferenceSaysWhatHelpSays$$' -update

picture: ## docs/images, from a real run in a terminal; with tmux (PROVIDER)
	PROVIDER=$(ENGINE) test/picture.sh

docs-test: ## every command of README and docs on a real cluster, and the GitHub action
	go test -C test/docs -count=1 ./page ./check
	go run ./test/suites 'docs $(DOCS)'

# What is formatted. tools/ has a module of its own.
GOFILES := cmd internal pkg test examples integrations tools

# What Go users can name: nothing of it may go.
API := .. ../pkg/api.txt ./pkg/e2eimage ./pkg/e2eimagetest ./pkg/config ./pkg/progress

api: ## write new names of the public packages into pkg/api.txt
	go run -C tools ./api -update $(API)

lint: shellcheck ## formatting, lengths, vet for all systems, staticcheck, arrows, pages, licences, public names, vulnerabilities
	@unformatted=$$(go tool -modfile=tools/go.mod gofumpt -l $(GOFILES)); \
	  if [ -n "$$unformatted" ]; then echo "make format would change:"; echo "$$unformatted"; exit 1; fi
	go vet ./...
	go tool -modfile=tools/go.mod staticcheck ./...
	go test -count=1 ./test/arrows/...
	go vet -C test/docs ./...
	for module in examples/ginkgo examples/e2e-framework examples/kubebuilder integrations/e2e-framework integrations/kubebuilder; do \
	  go vet -C $$module ./... || exit 1; done
	go test -C test/docs -count=1 ./page ./check
	shellcheck --severity=warning action/*.sh examples/ci/*.sh test/*.sh .ci/run
	go test -C tools ./...
	go run -C tools ./licences .. ./cmd/kubectl-e2eimage
	go run -C tools ./api $(API)
	@$(MAKE) --no-print-directory lint-systems vulnerabilities

format: ## gofumpt in place
	go tool -modfile=tools/go.mod gofumpt -w $(GOFILES)

lint-systems: ## vet the product as Windows and macOS compile it; test/ is for Linux
	CGO_ENABLED=0 GOOS=windows go vet ./cmd/... ./internal/... ./pkg/...
	CGO_ENABLED=0 GOOS=darwin go vet ./cmd/... ./internal/... ./pkg/...

vulnerabilities: ## known ones in what the plugin calls
	go run -C tools ./vulnerabilities .. ./cmd/kubectl-e2eimage

# A release: an archive for each platform, checksums, SBOMs. At a commit with a tag its
# version is the tag, else it is a snapshot. Signing and publishing is for the release job.
GORELEASER := go tool -modfile=tools/release/go.mod goreleaser
PLATFORMS  ?=

dist: ## release archives of this commit in dist/ (PLATFORMS=linux/amd64,darwin/arm64 for some)
	mkdir -p bin
	sed $(if $(PLATFORMS),'s|^  targets: .*|  targets: [$(subst /,_,$(PLATFORMS))]|',-n p) .goreleaser.yaml > bin/goreleaser.yaml
	@# goreleaser asks Git for a remote, before it asks for the commit and its time.
	if [ -z "$$(git remote)" ]; then \
	    export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=remote.origin.url GIT_CONFIG_VALUE_0=https://github.com/e2eimage/kubectl-e2eimage; \
	  fi; \
	  snapshot=--snapshot; \
	  if git describe --exact-match --tags >/dev/null 2>&1 && [ -z "$$(git status --porcelain)" ]; then snapshot=; fi; \
	  $(GORELEASER) release --config bin/goreleaser.yaml --clean --skip=sign,publish,announce $$snapshot

dist-verify: ## two clones of this commit, in two folders, give the same archives to the last bit
	place=$$(mktemp -d); trap 'rm -rf "$$place"' EXIT; \
	  for clone in one another/place; do \
	    git clone --quiet . "$$place/$$clone"; \
	    $(MAKE) -C "$$place/$$clone" dist PLATFORMS=$(PLATFORMS); \
	  done; \
	  diff "$$place/one/dist/checksums.txt" "$$place/another/place/dist/checksums.txt"; \
	  cat "$$place/one/dist/checksums.txt"; echo "both builds are equal"

krew-manifest: ## dist/e2eimage.yaml, what krew's index gets, from the archives in dist/
	go run ./test/krewmanifest plugins/krew.yaml dist > bin/e2eimage.yaml
	mv bin/e2eimage.yaml dist/

krew-verify: krew-manifest ## krew installs what is in dist/, and kubectl runs it
	test/krew.sh

demo: ## the main job on a real 3-node cluster, from nothing; or on DEMO_CLUSTER, a Kind cluster that is there
	test/demo.sh

demo-clean: ## every trace of the demo
	test/demo.sh clean

down: ## stop what the test set-up started and drop its caches
	go run ./test/cluster down --purge

shellcheck:
	@command -v shellcheck >/dev/null || { \
	  [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends shellcheck; } || \
	  { echo "make lint reads shell scripts with shellcheck: install it"; exit 1; }

# The race detector needs a C compiler.
toolchain:
	@command -v gcc >/dev/null || command -v cc >/dev/null || { \
	  [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends gcc libc6-dev; } || \
	  { echo "the race detector needs a C compiler: install gcc"; exit 1; }
