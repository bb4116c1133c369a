# CI runs these targets and nothing else.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

TARGET_DIR = $(or $(CARGO_TARGET_DIR),target)
MODULE = dist/duo_mfa.wasm
BUILT = $(TARGET_DIR)/wasm32-wasip1/release/duo_mfa.wasm
NAMED = $(TARGET_DIR)/wasm32-wasip1/release/duo_mfa.named.wasm
NEIGHBOR = $(TARGET_DIR)/wasm32-wasip1/release/examples/neighbor.wasm
NOOP = $(TARGET_DIR)/wasm32-wasip1/release/examples/noop.wasm
# Bytes. Every worker of every Envoy holds a copy, and a registry's image carries it.
MAX_SIZE = 736000
MAX_GZIPPED = 335000

# The part of Envoy that runs the filter in the targets that start one: wasm, native.
HOST = wasm
LOADED = $(if $(filter native,$(HOST)),native,module)

# The library: for this machine's kind of processor, or another's (see `make native`).
NATIVE_TARGET = $(shell uname -m)-unknown-linux-gnu
LIBRARY = dist/libduo_mfa$(if $(filter $(shell uname -m)-%,$(NATIVE_TARGET)),,-$(firstword $(subst -, ,$(NATIVE_TARGET)))).so
# Bytes: 1.1 MiB. Where tools/native-std.sh finds no sources, Rust's standard library comes with its backtraces, for which there is room.
MAX_LIBRARY_SIZE = 1153000
BACKTRACES = 280000
NATIVE_STD = .tools/native-std/env

# Whether tools/shrink.py works on the module: yes, no. Without it the module does the same but is too large to ship.
SHRINK ?= yes
BINARYEN = $(if $(filter yes,$(SHRINK)),.tools/binaryen.stamp)

# How wasm32-wasip1's standard library is come by: auto, rustup, debian.
WASM_STD ?= auto
WASM_ENV = .tools/wasm-$(WASM_STD)/env

# Paths of this machine must not get into the module: the same sources give the same bytes anywhere.
CARGO_HOME_DIR = $(or $(CARGO_HOME),$(HOME)/.cargo)
REMAP = --remap-path-prefix=$(CARGO_HOME_DIR)=/cargo --remap-path-prefix=$(CURDIR)=/src

# SHA-2 in rolled loops: an approval is hashed when it is first seen, not on every request.
SMALL_SHA2 = --cfg sha2_backend_soft=\"compact\"

# Most small functions of Rust's libraries carry a hint to be inlined, for which LLVM forgets that the module is built for size. With
# this limit the hint counts for little. The source marks what a pass needs inlined: `inline(always)`. docs/performance.md has the figures.
SMALL_CODE = -C llvm-args=-inlinehint-threshold=100

# The module alone: a limit for functions without a hint too. It saves 32 kB, and a pass takes 0.4 % fewer instructions of wasm, with two
# rules 0.6 % more.
SMALL_MODULE = $(SMALL_CODE) -C llvm-args=-inline-threshold=5

# The library: a lower limit, and no second copy of ciphers and of elliptic curves for each kind of processor. No pass uses them.
# docs/performance.md has the figures.
SMALL_LIBRARY = -C llvm-args=-inlinehint-threshold=40 -C llvm-args=-inline-threshold=5 \
	--cfg poly1305_backend=\"soft\" --cfg chacha20_backend=\"soft\" --cfg curve25519_dalek_backend=\"serial\"

# Envoy's V8 has had SIMD for years: names and cookies are scanned 16 bytes at a time.
SIMD = -C target-feature=+simd128

# Zig links against the symbols of the oldest glibc that is supported, and brings its own unwinder: the library needs no libgcc_s.
GLIBC = 2.28
ZIGBUILD = CARGO_ZIGBUILD_ZIG_PATH=$(CURDIR)/.tools/zig/zig CARGO_ZIGBUILD_CACHE_DIR=$(CURDIR)/.tools/zig/cache \
	ZIG_GLOBAL_CACHE_DIR=$(CURDIR)/.tools/zig/cache .tools/zig/bin/cargo-zigbuild

# Envoy must never unmap the library: a destructor of one of its threads would then run in nothing.
NO_DELETE = -C link-arg=-Wl,-z,nodelete

export PATH := $(CURDIR)/.tools/bin:$(PATH)
export DUO_MFA_HOST = $(HOST)
export DUO_MFA_WASM = $(CURDIR)/$(MODULE)
export DUO_MFA_NATIVE = $(CURDIR)/$(LIBRARY)
export DUO_MFA_NEIGHBOR_WASM = $(abspath $(NEIGHBOR))

.PHONY: help
help: ## list the targets
	@sed -nE 's/^([a-z0-9-]+):.*## (.*)/\1\t\2/p' $(firstword $(MAKEFILE_LIST)) | sort | awk -F '\t' '{printf "  %-11s %s\n", $$1, $$2}'

.PHONY: setup
setup: $(WASM_ENV) $(BINARYEN) .tools/envoy.stamp ## install what the other targets need, under .tools/ (they do it when needed)

$(NATIVE_STD): tools/native-std.sh rust-toolchain.toml
	tools/native-std.sh

$(WASM_ENV): tools/wasm-std.sh rust-toolchain.toml
	tools/wasm-std.sh $(WASM_STD)

.tools/binaryen.stamp: tools/binaryen.sh tools/binaryen.txt
	tools/binaryen.sh
	@touch $@

.tools/zig.stamp: tools/zig.sh tools/zig.txt
	tools/zig.sh
	@touch $@

.tools/envoy.stamp: tools/envoy.sh tools/envoy.txt
	tools/envoy.sh
	@touch $@

# The newest Envoy that can't run the library, which the tests have refuse it.
.tools/older-envoy.stamp: tools/envoy.sh tools/envoy.txt
	tools/envoy.sh 1.37.0
	@touch $@

.tools/validators.stamp: tools/validators.sh tools/validators.txt
	tools/validators.sh
	@touch $@

.tools/prometheus.stamp: tools/prometheus.sh
	tools/prometheus.sh
	@touch $@

.tools/logql.stamp: tools/logql.sh tools/logql/package.json tools/logql/package-lock.json
	tools/logql.sh
	@touch $@

.tools/verifiers.stamp: tools/verifiers.sh $(wildcard tools/verifiers/*)
	tools/verifiers.sh
	@touch $@

.tools/cargo-deny.stamp: tools/cargo-deny.sh
	tools/cargo-deny.sh
	@touch $@

.tools/cargo-mutants.stamp: tools/cargo-mutants.sh
	tools/cargo-mutants.sh
	@touch $@

.tools/linters.stamp: tools/linters.sh tools/linters.txt
	tools/linters.sh
	@touch $@

.tools/sbom-schemas.stamp: tools/sbom-schemas.txt .tools/validators.stamp
	.tools/validators/bin/python -m pip download --quiet --disable-pip-version-check --no-deps --require-hashes --requirement $< --dest .tools/sbom-schemas
	@touch $@

.PHONY: wasm
wasm: module ## build the module, dist/duo_mfa.wasm, and hold it to its size
	@size=$$(wc -c <$(MODULE)); gzipped=$$(gzip -9 -c $(MODULE) | wc -c); \
	echo "$(MODULE): $$size bytes (at most $(MAX_SIZE)), $$gzipped gzipped (at most $(MAX_GZIPPED))"; \
	((size <= $(MAX_SIZE) && gzipped <= $(MAX_GZIPPED))) || { echo "$(MODULE) is too large" >&2; exit 1; }

# Targets that run the module do not wait for it to be small.
.PHONY: module
module: $(WASM_ENV) $(BINARYEN)
	. $(WASM_ENV); RUSTFLAGS="$$WASM_RUSTFLAGS $(REMAP) $(SIMD) $(SMALL_SHA2) $(SMALL_MODULE)" cargo wasm --locked $$WASM_CARGO_FLAGS
	@mkdir -p dist
	tools/exports.py $(BUILT) $(NAMED)
	$(if $(filter yes,$(SHRINK)),tools/shrink.py $(NAMED) $(MODULE),cmp -s $(NAMED) $(MODULE) || cp $(NAMED) $(MODULE))

# A plugin that the tests put beside the filter.
.PHONY: neighbor
neighbor: $(WASM_ENV)
	. $(WASM_ENV); RUSTFLAGS="$$WASM_RUSTFLAGS $(REMAP) $(SIMD) $(SMALL_SHA2) $(SMALL_CODE)" cargo build --locked --release --example neighbor --target wasm32-wasip1 $$WASM_CARGO_FLAGS

.PHONY: native
native: .tools/zig.stamp $(NATIVE_STD) ## build the library, dist/libduo_mfa.so, and hold it to its size; NATIVE_TARGET=aarch64-unknown-linux-gnu for ARM
	test -d "$$(rustc --print target-libdir --target $(NATIVE_TARGET))" || rustup target add $(NATIVE_TARGET)
	. $(NATIVE_STD); RUSTFLAGS="$(REMAP) $(SMALL_SHA2) $(SMALL_LIBRARY) $(NO_DELETE) $$NATIVE_RUSTFLAGS" \
		$(ZIGBUILD) rustc --locked --lib --profile native --no-default-features --features native --crate-type cdylib \
		--target $(NATIVE_TARGET).$(GLIBC) $$NATIVE_CARGO_FLAGS
	@mkdir -p dist
	cmp -s $(TARGET_DIR)/$(NATIVE_TARGET)/native/libduo_mfa.so $(LIBRARY) || \
		install -m 755 $(TARGET_DIR)/$(NATIVE_TARGET)/native/libduo_mfa.so $(LIBRARY)
	@size=$$(wc -c <$(LIBRARY)); most=$(MAX_LIBRARY_SIZE); ! grep -q RUST_BACKTRACE $(LIBRARY) || ((most += $(BACKTRACES))); \
	echo "$(LIBRARY): $$size bytes (at most $$most)"; ((size <= most)) || { echo "$(LIBRARY) is too large" >&2; exit 1; }

# Checks the library's file alone, so it can be one for another kind of processor.
.PHONY: native-check
native-check: .tools/envoy.stamp
	cargo test --locked --test e2e library::library_

.PHONY: oci
oci: wasm ## pack the module as an OCI image, dist/oci and dist/oci.tar: no container engine, the same digest each time
	tools/oci.py $(MODULE) dist/oci

.PHONY: dist
dist: oci native ## the module, its image, the library, and their SHA-256, in dist/
	cd dist && sha256sum $(notdir $(MODULE)) oci.tar $(notdir $(LIBRARY)) >SHA256SUMS
	@ls -l dist

# Whether `make reproduce` builds the library too: yes, no.
NATIVE = no

.PHONY: reproduce
reproduce: $(WASM_ENV) $(BINARYEN) $(if $(filter yes,$(NATIVE)),.tools/zig.stamp $(NATIVE_STD)) ## build the module twice, in two folders with two CARGO_HOMEs, and compare; NATIVE=yes: the library too
	tools/reproduce.sh module $(MODULE) $(if $(filter yes,$(NATIVE)),native $(LIBRARY))

# The library of a release for the other kind of processor.
OTHER_TARGET = $(if $(filter aarch64,$(shell uname -m)),x86_64,aarch64)-unknown-linux-gnu

# The program for any Linux: without a C library of the host. Its one C dependency compiles with the host's compiler.
MUSL = $(shell uname -m)-unknown-linux-musl
.PHONY: cli-static
cli-static: ## build dist/duo-mfa, statically linked, without the simulator
	rustup target add $(MUSL)
	CC_$(subst -,_,$(MUSL))=$${CC:-cc} RUSTFLAGS="$(REMAP)" cargo build --locked --profile cli --no-default-features --features cli --bin duo-mfa --target $(MUSL)
	@mkdir -p dist
	strip --strip-all -o dist/duo-mfa $(TARGET_DIR)/$(MUSL)/cli/duo-mfa

.PHONY: release-dry-run
release-dry-run: dist cli-static .tools/envoy.stamp .tools/sbom-schemas.stamp ## collect and check in dist/release all that a release publishes, without publishing it; try the first application with these files alone
	$(MAKE) --no-print-directory native native-check
	$(MAKE) --no-print-directory native native-check NATIVE_TARGET=$(OTHER_TARGET)
	.tools/validators/bin/python tools/release.py dist/release
	DUO_MFA_RELEASE=$(CURDIR)/dist/release cargo test --locked --test e2e first_application::

.PHONY: smoke
smoke: $(LOADED) .tools/envoy.stamp sim ## run the demo by script: push, cookie, denial, policy, body; HOST=native by the native module
	python3 examples/demo/smoke.py

.PHONY: demo
demo: $(LOADED) .tools/envoy.stamp sim ## run Envoy, the filter, duo-sim and an app on 127.0.0.1; stop with Ctrl-C; HOST=native by the native module, DEMO_PORT=20000 at other ports
	@python3 examples/demo/run.py

.PHONY: sim
sim:
	cargo build --locked --bin duo-sim

.PHONY: cli
cli:
	cargo build --locked --bin duo-mfa

# Programs that git would keep; what was built or installed is not among them.
PYTHON = tools examples tests
SCRIPTS = examples/api-client/duo-mfa.sh envoy/compose/keys.sh

# Packages with their own Cargo.lock, which a change of Cargo.toml above makes stale.
LOCKS = tests/fuzz/driver tests/limiter

.PHONY: lint
lint: $(WASM_ENV) .tools/cargo-deny.stamp .tools/linters.stamp ## format, clippy for both targets, layers, documents, prose, tools, shipped files, rustdoc, licences and bans
	cargo fmt --check
	cargo fmt --check --manifest-path tests/fuzz/driver/Cargo.toml
	@$(foreach lock,$(LOCKS),cargo update --quiet --workspace --locked --manifest-path $(lock)/Cargo.toml;)
	cargo clippy --locked --all-targets -- -D warnings
	cargo clippy --locked --lib --example native --features native-faults --profile test -- -D warnings
	. $(WASM_ENV); RUSTFLAGS="$$WASM_RUSTFLAGS -D warnings" cargo $$WASM_LINT --locked --lib --target wasm32-wasip1 $$WASM_CARGO_FLAGS
	. $(WASM_ENV); RUSTFLAGS="$$WASM_RUSTFLAGS -D warnings" cargo $$WASM_LINT --locked --lib --features wasm-faults --target wasm32-wasip1 $$WASM_CARGO_FLAGS
	cargo test --locked --test core layers
	cargo test --locked --test core docs::
	tools/prose.py
	shellcheck .ci/run tools/*.sh $(SCRIPTS)
	ruff check $(PYTHON)
	ruff format --check $(PYTHON)
	tools/shipped.py
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps --document-private-items
	cargo-deny --all-features --locked check --hide-inclusion-graph licenses sources
	cargo-deny --all-features --locked --exclude-dev --target wasm32-wasip1 check bans

.PHONY: msrv
msrv: ## check everything with the oldest Rust that Cargo.toml promises, installed by rustup
	tools/msrv.sh

# The tests of the pages run with the library alone: the pages are the same on both hosts.
SUITES = $(filter-out bench browser e2e native,$(patsubst tests/%/main.rs,%,$(wildcard tests/*/main.rs)))

# Tests with an Envoy that run at a time. They wait most of their time.
E2E_THREADS = 6

.PHONY: test
test: module native neighbor .tools/envoy.stamp .tools/older-envoy.stamp .tools/prometheus.stamp .tools/validators.stamp .tools/verifiers.stamp sim ## every test: unit, core, simulator, clients, Envoy on both hosts, Chromium; ends with counts and wrongly_admitted=
	WASM_EVENTS=$(EVENTS) cargo test --locked --lib --bins $(SUITES:%=--test %) 2>&1 | tee $(TARGET_DIR)/test.log
	cargo test --locked --doc 2>&1 | tee -a $(TARGET_DIR)/test.log
	DUO_MFA_HOST=wasm RUST_TEST_THREADS=$(E2E_THREADS) cargo test --locked --test e2e 2>&1 | tee -a $(TARGET_DIR)/test.log
	DUO_MFA_HOST=native RUST_TEST_THREADS=$(E2E_THREADS) cargo test --locked --test browser --test e2e 2>&1 | tee -a $(TARGET_DIR)/test.log
	cargo test --locked --features native-faults --example native 2>&1 | tee -a $(TARGET_DIR)/test.log
	$(MAKE) --no-print-directory panics sanitize 2>&1 | tee -a $(TARGET_DIR)/test.log
	$(MAKE) --no-print-directory conversations 2>&1 | tee -a $(TARGET_DIR)/test.log
	tools/summary.py $(TARGET_DIR)/test.log

# The sanitizers are unstable; RUSTC_BOOTSTRAP has the stable compiler accept them. The standard library is not instrumented,
# so the sanitizer sees a fault of its code only where it reaches the allocator or code of this repository.
NATIVE_TESTS = --locked --no-default-features --features native-faults --example native

.PHONY: sanitize
sanitize: ## run the tests of the native module under AddressSanitizer
	RUSTC_BOOTSTRAP=1 RUSTFLAGS=-Zsanitizer=address CARGO_TARGET_DIR=$(abspath $(TARGET_DIR))/sanitize cargo test $(NATIVE_TESTS) --target $(shell uname -m)-unknown-linux-gnu

.PHONY: panics
panics: .tools/envoy.stamp sim ## have the native module panic at each hook and stage in a real Envoy
	cargo rustc --locked --lib --no-default-features --features native-faults --crate-type cdylib
	DUO_MFA_HOST=native DUO_MFA_NATIVE=$(abspath $(TARGET_DIR))/debug/libduo_mfa.so \
		cargo test --locked --test e2e panics:: -- --ignored

# How many random events the core meets, and the first seed.
EVENTS = 1000000
SEED = 0

.PHONY: conversations
conversations: ## have the core meet EVENTS (1000000) random events, from conversation SEED (0) on: optimized, but with all checks
	CONVERSATION_EVENTS=$(EVENTS) CONVERSATION_SEED=$(SEED) cargo test --locked --config profile.dev.package.duo-mfa.opt-level=1 --test core conversations::

.PHONY: scripted
scripted: module ## run the module's file under a host of the tests: each host call fails, EVENTS random events from SEED on, costs
	WASM_EVENTS=$(EVENTS) WASM_SEED=$(SEED) cargo test --locked --test wasm

.PHONY: fuzz
fuzz: SECONDS = 60
fuzz: ## look for inputs that break a promise, by coverage: SECONDS (60) for each target of tests/fuzz, or for TARGET alone; needs a C++ compiler
	tools/fuzz.py $(SECONDS) $(TARGET)

.PHONY: mutants
mutants: $(WASM_ENV) .tools/validators.stamp ## plant each defect of tests/seeded/defects.yaml, or DEFECTS, in a copy of the sources, and show which test catches it
	.tools/validators/bin/python tools/mutants.py $(DEFECTS)

# Where cargo-mutants changes the sources: in all that reads what a client sends, and all that decides by it.
FILES = src/session/** src/policy/** src/identity/** src/http/** src/gate/limit.rs src/gate/limit/**

# A part of the changes, as in 0/40: every fortieth of them.
SHARD = 0/1

.PHONY: mutation-score
mutation-score: .tools/cargo-mutants.stamp .tools/validators.stamp ## have cargo-mutants change FILES in a copy of the sources, one place at a time, and list what no test notices: FILES='src/http/**'; SHARD=0/40 for a fortieth
	.tools/validators/bin/python tools/mutants.py --copy
	cd $(TARGET_DIR)/mutants/tree && CARGO_TARGET_DIR=../build CARGO_PROFILE_DEV_DEBUG=0 cargo mutants --in-place --output .. --sharding round-robin --shard $(SHARD) $(foreach file,$(FILES),--file '$(file)')

.PHONY: examples
examples: module native .tools/envoy.stamp .tools/logql.stamp .tools/prometheus.stamp .tools/validators.stamp cli ## check every YAML file that is shipped; CRDS=FOLDER checks custom resources too
	DUO_MFA_CLI=$(TARGET_DIR)/debug/duo-mfa .tools/validators/bin/python tools/examples.py

.PHONY: e2e
e2e: $(LOADED) native neighbor .tools/envoy.stamp .tools/older-envoy.stamp .tools/prometheus.stamp .tools/validators.stamp .tools/verifiers.stamp sim ## only the tests with a real Envoy; HOST=native: with the library
	RUST_TEST_THREADS=$(E2E_THREADS) cargo test --locked --test e2e

# How many users sign in during a soak.
USERS = 1000000

.PHONY: soak
soak: $(LOADED) .tools/envoy.stamp ## have USERS (1000000) users sign in through one Envoy, and measure what its memory grows by
	SOAK_USERS=$(USERS) cargo test --locked --profile bench --test e2e memory:: -- --nocapture

# The module or the library with faults that tests plant: below the target folder, never in dist.
FAULTY_MODULE = $(TARGET_DIR)/wasm32-wasip1/release/duo_mfa.faulty.wasm
FAULTY = $(if $(filter native,$(HOST)),$(TARGET_DIR)/debug/libduo_mfa.so,$(FAULTY_MODULE))

.PHONY: faulty
faulty: $(WASM_ENV)
ifeq ($(HOST),native)
	cargo rustc --locked --lib --no-default-features --features native-faults --crate-type cdylib
else
	. $(WASM_ENV); RUSTFLAGS="$$WASM_RUSTFLAGS $(REMAP) $(SIMD) $(SMALL_SHA2) $(SMALL_MODULE)" cargo wasm --locked --features wasm-faults $$WASM_CARGO_FLAGS
	tools/exports.py $(BUILT) $(FAULTY_MODULE)
	rm $(BUILT)
endif

# How many people are in the middle of signing in.
SIGN_INS = 500
CHAOS = SIGN_INS=$(SIGN_INS) cargo test --locked --test e2e chaos::

.PHONY: chaos
chaos: faulty $(LOADED) .tools/envoy.stamp sim ## break things while SIGN_INS (500) people sign in: Envoy, its listener, Duo's cluster, a worker's VM; and have Duo hang while a crowd comes
	$(CHAOS) -- --ignored --nocapture --test-threads=1 --skip a_fault_of_the_module
	DUO_MFA_WASM=$(abspath $(FAULTY)) DUO_MFA_NATIVE=$(abspath $(FAULTY)) $(CHAOS)midway::many_sign_ins_outlive_a_fault -- --ignored --nocapture

LIMITER = $(TARGET_DIR)/limiter/debug/limiter
# Where the rate limit service counts: memory, redis.
STORE = memory

.PHONY: limiter
limiter: ## build the rate limit service of make fleet: Limitador behind tonic; STORE=redis needs libclang-dev and libssl-dev, and takes a quarter of an hour
	cargo build --locked --manifest-path tests/limiter/Cargo.toml --target-dir $(TARGET_DIR)/limiter $(if $(filter redis,$(STORE)),--features redis)

.PHONY: fleet
fleet: limiter $(LOADED) .tools/envoy.stamp sim ## have SIGN_INS (500) people sign in over three Envoys with one rate limit service, while each Envoy is restarted; HOST=native by the native module; STORE=redis with counts in Redis (redis-server)
	SIGN_INS=$(SIGN_INS) DUO_MFA_STORE=$(STORE) DUO_MFA_LIMITER=$(abspath $(LIMITER)) cargo test --locked --test e2e fleet:: -- --include-ignored --nocapture --test-threads=1 $(if $(filter redis,$(STORE)),,--skip counts_in_redis)

.PHONY: load
load: MINUTES = 10
load: $(LOADED) .tools/envoy.stamp ## have 20 users a second sign in beside requests with approvals for MINUTES (10); measure errors, memory, and passes while many requests are held
	MINUTES=$(MINUTES) cargo test --locked --profile bench --test e2e steady:: -- --ignored --nocapture --test-threads=1

.PHONY: churn
churn: SECONDS = 600
churn: $(LOADED) .tools/envoy.stamp sim ## have clients leave, users sign in and configurations change for SECONDS (600), and see what is left behind; HOST=native by the native module
	CHURN_SECONDS=$(SECONDS) cargo test --locked --test e2e churn:: -- --ignored

.PHONY: matrix
matrix: module native .tools/older-envoy.stamp .tools/prometheus.stamp .tools/validators.stamp sim ## the core of the tests on every Envoy of tools/envoy.txt, on both hosts; ends with a table
	tools/matrix.py

.PHONY: browser
browser: $(LOADED) .tools/envoy.stamp sim ## only the tests with a real Chromium
	cargo test --locked --test browser

.PHONY: screenshots
screenshots: $(LOADED) .tools/envoy.stamp sim ## take the pictures of docs/screenshots
	rm -rf docs/screenshots
	SCREENSHOTS=$(CURDIR)/docs/screenshots cargo test --locked --test browser every_state
	du -sh docs/screenshots

.PHONY: graphs
graphs: $(LOADED) .tools/envoy.stamp .tools/prometheus.stamp sim ## take the picture of envoy/observability; needs the pages of Debian's prometheus
	cargo test --locked --test e2e graphs:: -- --ignored

DYNAMIC_NOOP = $(TARGET_DIR)/release/examples/libdynamic_noop.so

.PHONY: bench-build
bench-build: module native .tools/envoy.stamp
	. $(WASM_ENV); RUSTFLAGS="$$WASM_RUSTFLAGS $(REMAP)" cargo build --locked --release --example noop --target wasm32-wasip1 $$WASM_CARGO_FLAGS
	cargo build --locked --profile bench --example dynamic_noop

BENCH = DUO_MFA_NOOP_WASM=$(NOOP) DUO_MFA_DYNAMIC_NOOP=$(DYNAMIC_NOOP) cargo bench --locked --bench pass --

.PHONY: bench
bench: bench-build ## measure what a pass costs Envoy in both hosts, start-up and memory, on a quiet machine; fails short of a goal
	$(BENCH) --json $(TARGET_DIR)/bench.json --markdown $(TARGET_DIR)/bench.md

.PHONY: valgrind
valgrind:
	@command -v valgrind >/dev/null || { echo "instructions: valgrind is not on PATH; install it: apt-get install valgrind" >&2; exit 1; }

.PHONY: instructions
instructions: valgrind bench-build ## count the instructions of a pass by cookie in a real Envoy in both hosts, and those of the core alone; needs valgrind
	tools/instructions.sh
	$(BENCH) --count

.PHONY: clean
clean: ## remove everything that was built or installed
	cargo clean
	rm -rf dist .tools
