# Nhịp Cầu: `make help` lists what can be made.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

BUILD ?= .build
RELEASE := $(BUILD)/release/nhipcau
FUZZ_SECONDS ?= 60
SOAK_SECONDS ?= 600
SOAK_JOINS ?= 300
SEED ?= 1
STORE ?= sqlite
LINES ?= all
WAYS ?= all
SECONDS ?= 21
SIDES ?= both

.PHONY: help
help: ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: install release ## install what is missing, build, and show a running meeting of twelve provinces
	@exec $(RELEASE) demo

.PHONY: install
install: ## install the Debian packages that the product needs (says which; sudo where needed)
	@tools/install-packages product

.PHONY: install-test
install-test: install ## install what the tests need besides: browsers, GStreamer, a Python environment
	@tools/install-packages tests
	@tools/python-environment

.PHONY: release
release: install ## build the executable in release mode
	@echo "==> building (release)"
	@swift build -c release --scratch-path $(BUILD) --product nhipcau

.PHONY: test
test: unit sockets interop ## install what is missing, build, and pass every test; STORE=postgresql on a PostgreSQL of the tests' own

.PHONY: unit
unit: install $(if $(filter postgresql,$(STORE)),install-test) ## the tests that need no network, no browser and no sleep
	@echo "==> unit tests"
	@$(if $(filter postgresql,$(STORE)),tools/with-postgresql) swift test --scratch-path $(BUILD)

.PHONY: sockets
sockets: install ## the tests of a room that bind a socket of this machine
	@echo "==> tests that bind sockets"
	@NHIPCAU_SOCKETS=1 swift test --scratch-path $(BUILD) --filter '^MCUTests\.MediaServerTests'

.PHONY: interop
interop: install-test release ## the tests with real sockets, browsers and foreign stacks
	@echo "==> interop tests"
	@NHIPCAU="$(CURDIR)/$(RELEASE)" STORE="$(STORE)" .venv/bin/python -m pytest Tests/Interop -q -rs $(PYTEST_FLAGS)

.PHONY: lint
lint: ## the format of every Swift file, and the house's own rules
	@swift format lint --strict --recursive --parallel Package.swift Sources Tests Benchmarks
	@tools/house-rules
	@echo "lint: clean"

.PHONY: format
format: ## format every Swift file in place
	@swift format --in-place --recursive --parallel Package.swift Sources Tests Benchmarks

.PHONY: fuzz
fuzz: install ## every parser under libFuzzer and AddressSanitizer, FUZZ_SECONDS each (60), one on each core
	@tools/fuzz $(FUZZ_SECONDS)

.PHONY: bench
bench: install ## print what the media core costs beside the floor of its codecs
	@swift build -c release --scratch-path $(BUILD) --product nhipcau
	@swift build -c release --scratch-path $(BUILD) --product Benchmarks
	@cc -O2 -fno-omit-frame-pointer -shared -fPIC Benchmarks/hook/allocations.c -o $(BUILD)/allocations.so
	@NHIPCAU_HOOK="$(CURDIR)/$(BUILD)/allocations.so" NHIPCAU="$(CURDIR)/$(RELEASE)" $(BUILD)/release/Benchmarks $(if $(PEERS),--peers) $(if $(CASE),--case $(CASE)) $(if $(JSON),--json $(JSON)) $(if $(PLOT),--plot $(PLOT)) $(if $(BEFORE),--before $(CURDIR)/.build-before/.build/release/nhipcau) $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(PICTURES),--pictures $(PICTURES))

.PHONY: bench-before
bench-before: install ## cases on this build and on revision BEFORE in turn (ROUNDS times, 5): what a change costs
	@[ -n "$(BEFORE)" ] || { echo "make bench-before BEFORE=REVISION" >&2; exit 64; }
	@[ -d .build-before ] || git worktree add --detach .build-before $(BEFORE)
	@git -C .build-before checkout --quiet --detach $(BEFORE)
	@swift build -c release --package-path .build-before --scratch-path .build-before/.build --product nhipcau
	@$(MAKE) --no-print-directory bench BEFORE=$(BEFORE)

.PHONY: bench-peers
bench-peers: install-test ## the same beside Janus and GStreamer from Debian, which are installed for it
	@tools/install-packages peers
	@$(MAKE) --no-print-directory bench PEERS=1

.PHONY: sanitize
sanitize: install ## the rooms' tests and a meeting under ThreadSanitizer and AddressSanitizer
	@tools/sanitize

.PHONY: soak
soak: install-test release ## SOAK_JOINS joins and leaves in random order over SOAK_SECONDS (300 over 600), SEED given
	@NHIPCAU="$(CURDIR)/$(RELEASE)" .venv/bin/python Tests/Interop/soak.py --seconds $(SOAK_SECONDS) --joins $(SOAK_JOINS) --seed $(SEED)

.PHONY: lines
lines: install-test release ## a meeting over bad lines, and what is heard and seen of it: LINES, WAYS, SECONDS and SIDES choose (all)
	@tools/python-environment lines
	@cd Tests/Interop && NHIPCAU="$(CURDIR)/$(RELEASE)" ../../.venv/bin/python -m lines --lines "$(LINES)" --ways "$(WAYS)" --seconds "$(SECONDS)" --seed "$(SEED)" --sides "$(SIDES)"
	@$(if $(filter-out all,$(LINES) $(WAYS)),true,cd Tests/Interop && NHIPCAU="$(CURDIR)/$(RELEASE)" ../../.venv/bin/python -m lines.told)

.PHONY: lines-soak
lines-soak: install ## SEEDS lines (200) at random, simulated: nothing stuck, no delay without bound, no more sent than a line carries
	@LINES_SEEDS=$(or $(SEEDS),200) swift test -c release -Xswiftc -enable-testing --scratch-path .build-soak --filter '^PeerTests\.CongestionTests'

.PHONY: lines-told
lines-told: install-test release ## what is put into a line beside what the server and the endpoint tell of it; fails where that is wrong
	@cd Tests/Interop && NHIPCAU="$(CURDIR)/$(RELEASE)" ../../.venv/bin/python -m lines.told --strict

.PHONY: clean
clean: ## remove what was built
	@rm -rf $(BUILD) .build-* .venv out
	@git worktree prune
