# All targets work from a fresh clone with Go, make and git. e2e/README.md describes the test suites.

NAME = docker-credential-ecr-login
OUT ?= $(NAME)
PREFIX ?= /usr/local
FUZZTIME ?= 10m
GOFLAGS_BUILD = -trimpath -buildvcs=auto -ldflags '-s -w'

.PHONY: build
build: ## the static binary
	CGO_ENABLED=0 go build $(GOFLAGS_BUILD) -o $(OUT) ./cmd/$(NAME)

.PHONY: install
install: build ## the binary, below DESTDIR, in PREFIX/bin (/usr/local/bin)
	install -d '$(DESTDIR)$(PREFIX)/bin'
	install -m 0755 $(OUT) '$(DESTDIR)$(PREFIX)/bin/$(NAME)'

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## / { printf "make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: test
test: ## all tests that need no Docker engine and no root, on loopback alone
	@.ci/test

.PHONY: lint
lint: ## gofmt, vet, staticcheck, and govulncheck where its database can be had
	.ci/lint

.PHONY: demo
demo: ## a runner's cross-account set-up on a stand-in for AWS, with a real pull
	@echo "Building the demo and the helper. The first time this downloads modules and compiles the AWS SDK, which takes minutes."
	cd e2e && go run -v ./demo

.PHONY: e2e
e2e: ## real clients, and faults of the machine; needs root, and installs the rest
	e2e/install
	cd e2e && go test -count=1 -timeout=20m ./clients/...
	cd e2e/faults/root && go test -count=1

.PHONY: torture
torture: ## all faults: of AWS, network, input and machine, and the random search; needs root
	e2e/install
	cd e2e/faults && go test -count=1 -timeout=20m -parallel=16
	cd e2e/faults/root && go test -count=1
	cd e2e/search && go test -v -count=1 -timeout=2h

.PHONY: fuzz
fuzz: ## every fuzz target for FUZZTIME
	.ci/fuzz $(FUZZTIME)

.PHONY: matrix
matrix: ## the real clients alone; writes what they did into README.md
	e2e/install
	cd e2e && go test -count=1 -timeout=20m ./clients -matrix

.PHONY: sessions
sessions: ## what doctor prints; writes it into docs/troubleshooting.md
	cd e2e && go test -count=1 ./scripts -run TestSessions -sessions

.PHONY: bench
bench: ## time and memory beside the awslabs helper; writes docs/benchmarks.md
	cd e2e && go run ./bench

.PHONY: scale
scale: ## the requests of fleets of machines to AWS; writes docs/scale.md
	cd e2e && go run ./fleetsim
