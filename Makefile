# vox: the same commands for people and for CI. `make help` lists them.

PREFIX  ?= /usr/local
DESTDIR ?=
CARGO   ?= cargo

# The programs under test are built here, not by each test.
export VOX_BUILT := 1
export PATH := $(HOME)/.cargo/bin:$(PATH)

BINARIES := vox-registry vox-peer
DEBUG    := target/debug
RELEASE  := target/release

.DEFAULT_GOAL := help
.PHONY: help setup build check test demo fuzz bench bench-seal bench-steady bench-registry bench-voice bench-echo install

help: ## list these commands
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 23

setup: ## install what is missing (Debian packages, Rust), once
	@tests/scripts/setup everything

build: ## build both programs for use (target/release)
	@tests/scripts/setup build
	$(CARGO) build --release --locked -p vox-registry -p vox-peer

check: ## format, lints, purity, dependencies, documentation, scripts, units
	@tests/scripts/setup check
	@tests/scripts/check

test: ## run every test, the quick ones first (SEEDS=100000: more simulated stories)
	@tests/scripts/setup everything
	@tests/scripts/test

fuzz: ## try each property with bytes that libFuzzer finds (T=60: for so many seconds each, ONLY="agent srtp")
	@tests/scripts/setup fuzz
	@tests/scripts/fuzz $(or $(T),60) $(ONLY)

demo: ## two stations call each other and say how it went (SOUND=1: on your sound card)
	@tests/scripts/setup demo
	@[ -x $(RELEASE)/demo ] || echo "building, which takes some minutes the first time"
	@$(CARGO) build --release --locked -p vox-registry -p vox-peer
	@$(CARGO) build --release --locked -p vox-tests --no-default-features --bin demo
	@$(RELEASE)/demo

bench: ## print tables of speed, delay and memory (WRITE=1: call set-up into docs/BENCHMARKS.md)
	@tests/scripts/setup everything
	$(CARGO) build --quiet --release --locked -p vox-registry -p vox-peer
	$(CARGO) build --quiet --release --locked -p vox-tests --bin bench --bin probe
	@$(RELEASE)/bench $(if $(WRITE),--write)
	@$(MAKE) --no-print-directory bench-seal

bench-seal: ## print what sealing and opening a packet costs, with the instructions for AES and without
	@tests/scripts/setup build
	$(CARGO) build --quiet --release --locked -p vox-peer --example srtp_cost
	RUSTFLAGS='--cfg aes_backend="soft" --cfg polyval_backend="soft"' \
	    $(CARGO) build --quiet --release --locked -p vox-peer --no-default-features --example srtp_cost --target-dir target/soft
	@$(RELEASE)/examples/srtp_cost target/soft/release/examples/srtp_cost

bench-steady: ## print whether the sound holds for ten minutes, alone and beside busy loops (20 minutes)
	@tests/scripts/setup everything
	$(CARGO) build --quiet --release --locked -p vox-registry -p vox-peer
	$(CARGO) build --quiet --release --locked -p vox-tests --bin bench --bin probe
	@$(RELEASE)/bench steady

bench-registry: ## print speed and memory of the registry (WRITE=1: into docs/BENCHMARKS.md)
	@tests/scripts/setup bench
	$(CARGO) build --quiet --release --locked -p vox-registry
	$(CARGO) build --quiet --release --locked -p vox-tests --no-default-features --bin bench_registry
	@$(RELEASE)/bench_registry $(if $(WRITE),--write)

bench-voice: ## delay, drift, speech over bad paths beside others (ONLY="delay trx", MINUTES=10, WRITE=1)
	@tests/scripts/setup bench-voice
	$(CARGO) build --quiet --release --locked -p vox-registry -p vox-peer
	$(CARGO) build --quiet --release --locked -p vox-tests --bin bench_voice --bin probe
	@$(RELEASE)/bench_voice $(ONLY) $(if $(MINUTES),minutes=$(MINUTES)) $(if $(WRITE),--write)

bench-echo: ## print what echo cancellation does and costs (WRITE=1: into docs/BENCHMARKS.md)
	@tests/scripts/setup everything
	@tests/scripts/setup bench-voice
	$(CARGO) build --quiet --release --locked -p vox-peer
	$(CARGO) build --quiet --release --locked -p vox-peer --no-default-features --target-dir target/without
	$(CARGO) build --quiet --release --locked -p vox-tests --bin bench_echo --bin probe
	@$(RELEASE)/bench_echo $(if $(WRITE),--write)

install: ## install programs, units and samples (DESTDIR=, PREFIX=/usr/local)
	@tests/scripts/install "$(DESTDIR)" "$(PREFIX)" "$(or $(FROM),$(RELEASE))"
