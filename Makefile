PREFIX ?= /usr
DESTDIR ?=
BINARIES ?= .build/release
SWIFT ?= swift
STORE ?=
FUZZ_SECONDS ?= 60
FUZZ_TARGETS ?=
MINUTES ?= 10
CONTAINERS ?= 200
LAYERS ?= 1000
SEED ?=

# The tests on a real engine need root; everything else runs as the caller.
AS_ROOT = $(if $(filter 0,$(shell id -u)),env,sudo env "PATH=$$PATH")

# Hundreds of tests at once keep each other from what they wait for.
AT_ONCE = --experimental-maximum-parallelization-width 6

.PHONY: all build demo-store test test-all test-kernel test-sanitized test-asan test-tsan fuzz exactness reasons demo \
    bench bench-quick soak lint format install uninstall deb exposure clean deps test-deps kernel-deps deb-deps \
    bench-deps bench-quick-deps soak-deps

all: build

deps:
	@scripts/deps.sh build

test-deps:
	@scripts/deps.sh test

kernel-deps:
	@scripts/deps.sh kernel

deb-deps:
	@scripts/deps.sh deb

bench-deps:
	@scripts/deps.sh bench

bench-quick-deps:
	@scripts/deps.sh bench-quick

soak-deps:
	@scripts/deps.sh soak

# The Swift runtime is linked in, so that the binaries need no toolchain where they run.
BUILD = $(SWIFT) build -c release --static-swift-stdlib

build: deps
	$(BUILD) --product usaged
	$(BUILD) --product usage-client
	$(BUILD) --product usaged-notify

demo-store: deps
	$(BUILD) --product demo-store

test: test-deps
	$(SWIFT) build --build-tests
	$(AS_ROOT) USAGED_TEST_ENGINE=required SWIFT_DETERMINISTIC_HASHING=1 $(SWIFT) test --skip-build $(AT_ONCE)

# As `test`, with the long runs: more writes for the delay figures, more operations for the random work.
test-all: test-deps kernel-deps
	$(SWIFT) build --build-tests
	$(AS_ROOT) USAGED_TEST_ENGINE=required USAGED_TEST_ALL=1 SWIFT_DETERMINISTIC_HASHING=1 $(SWIFT) test --skip-build $(AT_ONCE)
	scripts/old-kernel.sh

# The daemon on a kernel that tells less of overlayfs, in a software emulation.
test-kernel: kernel-deps
	$(SWIFT) build --build-tests
	scripts/old-kernel.sh

# As `test`, under the address and the thread sanitizer; the second cannot be had with the first.
test-sanitized: test-asan test-tsan

SANITIZER_asan = address
SANITIZER_tsan = thread
SANITIZED = --sanitize=$(SANITIZER_$*) --scratch-path .build-$*

# The object says what the sanitizer cannot know by itself. XCTest has no test here, and its runner leaks.
test-asan test-tsan: test-%: test-deps .build-%/sanitizer.o
	$(SWIFT) build --build-tests $(SANITIZED) -Xlinker $(CURDIR)/.build-$*/sanitizer.o
	$(AS_ROOT) USAGED_TEST_ENGINE=required USAGED_TEST_SANITIZED=1 SWIFT_DETERMINISTIC_HASHING=1 \
	    $(SWIFT) test --skip-build --disable-xctest $(SANITIZED) $(AT_ONCE)

# What it was linked into is linked again, for the build does not know of it.
.build-%/sanitizer.o: scripts/sanitizers/%.c
	@mkdir -p $(@D)
	clang -O1 -c $< -o $@
	@if test -d $(@D)/debug; then find $(@D)/debug/ -maxdepth 1 -type f -perm -u+x -delete; fi

# FUZZ_SECONDS for each target; FUZZ_TARGETS names those to run instead of all.
fuzz: deps
	@SWIFT="$(SWIFT)" FUZZ_SECONDS="$(FUZZ_SECONDS)" FUZZ_TARGETS="$(FUZZ_TARGETS)" scripts/fuzz.sh

# The figures on real file systems, with twenty seeds each; writes the table of Documentation/exactness.md.
exactness: test-deps
	$(SWIFT) build --build-tests
	@$(AS_ROOT) SWIFT="$(SWIFT)" scripts/exactness.sh

# The reasons for `exact: false` that no test reaches, by counting lines.
reasons: test-deps
	@$(AS_ROOT) SWIFT="$(SWIFT)" scripts/reasons.sh $(AT_ONCE)

demo: build demo-store
	@STORE="$(STORE)" scripts/demo.sh

# Everything that usaged is measured by, beside other tools; takes about half an hour and writes the table.
bench: build bench-deps
	$(BUILD) --product usage-bench
	$(SWIFT) build -c release --product reference-scanner
	$(AS_ROOT) $(BINARIES)/usage-bench run --table Documentation/benchmarks.md --json Documentation/benchmarks.json

# What hardly depends on the machine, of the debug build, whose scanning and accounting are optimized; less than three
# minutes after the build. Fails where a figure is worse than its bound.
bench-quick: bench-quick-deps
	$(SWIFT) build
	$(AS_ROOT) .build/debug/usage-bench quick scripts/bench-bounds.json

# The random life of a host of CONTAINERS and LAYERS beside real daemons, for MINUTES. BIN=.build/debug takes what is
# built there already. The mounts are in a namespace of their own, so that none stays whatever happens.
BIN ?= .build/release

soak: soak-deps
ifeq ($(BIN),.build/release)
	$(BUILD) --product usaged
	$(BUILD) --product usage-soak
endif
	@$(AS_ROOT) unshare --mount $(BIN)/usage-soak --minutes $(MINUTES) --containers $(CONTAINERS) --layers $(LAYERS) \
	    $(if $(SEED),--seed $(SEED))

lint:
	$(SWIFT) format lint --strict --recursive Sources Tests Fuzz Package.swift

format:
	$(SWIFT) format --in-place --recursive Sources Tests Fuzz Package.swift

# Installs what `make build` built; run `make build` first, as a user, so that root need not compile.
install uninstall:
	@PREFIX="$(PREFIX)" DESTDIR="$(DESTDIR)" BINARIES="$(BINARIES)" scripts/install.sh $@

# The Debian package in .build/deb.
deb: build deb-deps
	@scripts/deb.sh --binaries .build/release --output .build/deb

# How much systemd sees the units exposed, with each optional drop-in, beside those of engines and of an exporter.
exposure:
	@scripts/exposure.sh

clean:
	$(SWIFT) package clean
