# What people and CI type. `make` alone prints the list.

SHELL       := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
# The targets share two cores and one build cache: side by side they only get in each other's way.
.NOTPARALLEL:

ARGS     ?=
FUZZTIME ?= 30s
COUNT    ?=
OLD      ?=
NEW      ?= HEAD
BENCH    ?= .
LOAD     ?= ^(closed loop, 100 people|steady)
ROUNDS   ?= 200
SEED     ?=

CACHE := .cache
BIN   := $(CACHE)/bin
LINT  := $(BIN)/golangci-lint

.PHONY: help
help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: run
run: ## run the house from source; ARGS='--ssh-addr :2022' passes flags
	go run . $(ARGS)

.PHONY: test
test: ## all tests, the quick way
	go test ./...

.PHONY: check
check: format tidy vet lint generated build tools race ## all that must hold before a commit lands

.PHONY: format
format: $(LINT)
	$(LINT) fmt --diff ./...
	cd tools && ../$(LINT) fmt --diff ./...

.PHONY: tidy
tidy:
	go mod tidy -diff

.PHONY: vet
vet:
	go vet ./...
	go vet -C tools ./...

.PHONY: lint
lint: $(LINT) ## linters only
	$(LINT) run ./...
	cd tools && ../$(LINT) run ./...

.PHONY: generated
generated:
	tools/generated.sh

.PHONY: build
build:
	CGO_ENABLED=0 go build -o /dev/null ./...

.PHONY: tools
tools: # a module of its own, which ./... leaves out
	go test -C tools ./...

.PHONY: race
race: ## all tests with the race detector, in a random order
	# One package at a time: some of them measure time, and the race detector leaves little of two processors to share.
	go test -race -shuffle=on -p 1 ./...

.PHONY: real
real: ## stories with ssh, tmux, python3, nc and strace; a missing program fails them
	SARANGBANG_REAL=1 go test ./internal/e2e/... -count=1

.PHONY: history
history: ## the house killed, stopped, filled up and cut off ROUNDS (200) times, and its history checked; SEED= repeats a run
	@mkdir -p $(CACHE)/history
	SARANGBANG_ROUNDS=$(ROUNDS) SARANGBANG_ROUNDS_SEED=$(SEED) go test ./internal/e2e -run '^TestNothingSeenIsLost$$' -v -count=1 \
		-timeout 60m -artifacts -outputdir $(abspath $(CACHE))/history

.PHONY: fuzz
fuzz: ## each fuzz target for FUZZTIME (30s)
	tools/fuzz.sh $(FUZZTIME)

.PHONY: bench
bench: programs ## the house beside the least servers there are, with the targets, within 10 minutes; ARGS=--quick takes seconds
	$(BIN)/sshload compare --server $(BIN)/sarangbang $(ARGS)

.PHONY: bench-go
bench-go: ## Go's benchmarks; COUNT=6 repeats them
	go test -run '^$$' -bench . -benchmem -count $(or $(COUNT),1) ./...

.PHONY: bench-compare
bench-compare: $(BIN)/benchstat ## benchmarks and load of two commits in turns: OLD=COMMIT, NEW=HEAD, COUNT=6, BENCH and LOAD choose some
	tools/bench-compare.sh "$(OLD)" "$(NEW)" "$(or $(COUNT),6)" "$(BENCH)" "$(LOAD)"

.PHONY: sweep
sweep: programs ## measure what the charts show, within 10 minutes, and draw them
	$(BIN)/sshload sweep --server $(BIN)/sarangbang --json $(ARGS) >$(CACHE)/performance.json || \
		{ echo 'docs/performance.json stays as it was.' >&2; exit 1; }
	mv $(CACHE)/performance.json docs/performance.json
	$(MAKE) --no-print-directory charts

.PHONY: charts
charts: ## draw docs/img from docs/performance.json
	go run -C tools ./charts

.PHONY: programs
programs: # with the commit in them, which the figures name
	@mkdir -p $(BIN)
	go build -buildvcs=auto -o $(BIN)/ . ./cmd/sshload

.PHONY: deadcode
deadcode: $(BIN)/deadcode ## functions that no program and no test reaches
	$(BIN)/deadcode -test ./...

.PHONY: fmt
fmt: $(LINT) ## format all files in place
	$(LINT) fmt ./...
	cd tools && ../$(LINT) fmt ./...

.PHONY: generate
generate: ## make generated files anew
	go generate ./...

# The tools are a module of their own, so that the product's go.mod stays clean. They are built once: linking the linter
# takes seconds, building it for the first time minutes. The touch is for a build that finds its file up to date.
$(BIN)/golangci-lint $(BIN)/deadcode $(BIN)/benchstat &: tools/go.mod tools/go.sum
	@mkdir -p $(BIN)
	go build -C tools -o ../$(BIN)/ tool
	@touch $(BIN)/golangci-lint $(BIN)/deadcode $(BIN)/benchstat
