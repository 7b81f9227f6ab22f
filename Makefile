# layerscope is built and tested with Go and make alone. Nothing here uses the
# network but the go command, for modules; `make e2e` brings its own needs.

STATICCHECK_VERSION := v0.8.2

GO      ?= go
PREFIX  ?= /usr/local
DESTDIR ?=

# The packages and tests to run, and for how long to fuzz each target.
PKG      ?= ./...
RUN      ?=
FUZZTIME ?= 10s

# The go command fails to build where git knows of the checkout and won't talk
# about it, as in a container that another user's checkout is mounted into.
BUILDVCS := $(shell git rev-parse HEAD >/dev/null 2>&1 && echo auto || echo false)

DOCKER_CONFIG ?= $(HOME)/.docker

export CGO_ENABLED := 0

.DEFAULT_GOAL := help

.PHONY: help
help: ## show this help
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: build
build: ## build bin/layerscope
	$(GO) build -trimpath -buildvcs=$(BUILDVCS) -o bin/layerscope ./cmd/layerscope

.PHONY: demo
demo: build ## build, and look around in the demo image
	bin/layerscope demo

.PHONY: test
test: ## run the tests that need nothing but Go (PKG=./analyze/... RUN=TestX)
	.ci/gotest $(if $(RUN),-run '$(RUN)') $(PKG)

.PHONY: race
race: ## run the same tests under the race detector (needs a C compiler)
	CGO_ENABLED=1 .ci/gotest -race $(if $(RUN),-run '$(RUN)') $(PKG)

.PHONY: lint
lint: ## gofmt, go vet and staticcheck
	@test -z "$$(gofmt -l . | tee /dev/stderr)" || { echo 'gofmt: the files above need it' >&2; exit 1; }
	$(GO) vet ./...
	$(GO) run honnef.co/go/tools/cmd/staticcheck@$(STATICCHECK_VERSION) ./...

.PHONY: fuzz
fuzz: ## fuzz every target for FUZZTIME (10s)
	.ci/fuzz $(FUZZTIME) $(PKG)

.PHONY: bench
bench: ## run the benchmarks, which docs/performance.md cites
	$(GO) test -run '^$$' -bench . -benchmem $(PKG)

.PHONY: e2e
e2e: ## test against a real engine, registry and builders (docs/contributing.md)
	.ci/e2e $(if $(RUN),-run '$(RUN)')

.PHONY: conformance
conformance: ## hold predicted cascades against real builders, and write down what they did
	.ci/conformance full $(if $(RUN),-run '$(RUN)')

.PHONY: conformance-sample
conformance-sample: ## hold them against what was written down, and a sample of real builds
	.ci/conformance sample $(if $(RUN),-run '$(RUN)')

.PHONY: install
install: build ## install into $(DESTDIR)$(PREFIX)/bin
	install -d '$(DESTDIR)$(PREFIX)/bin'
	install -m 0755 bin/layerscope '$(DESTDIR)$(PREFIX)/bin/layerscope'

.PHONY: install-plugin
install-plugin: build ## make `docker layerscope` run bin/layerscope
	mkdir -p '$(DOCKER_CONFIG)/cli-plugins'
	ln -sf '$(CURDIR)/bin/layerscope' '$(DOCKER_CONFIG)/cli-plugins/docker-layerscope'

.PHONY: clean
clean: ## remove what make built
	rm -rf bin
