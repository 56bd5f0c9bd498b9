PREFIX ?= /usr
DESTDIR ?=
SWIFT ?= swift
STORE ?=

# The tests on a real engine need root; everything else runs as the caller.
AS_ROOT = $(if $(filter 0,$(shell id -u)),env,sudo env "PATH=$$PATH")

.PHONY: all build test test-all demo bench lint format install clean deps test-deps

all: build

deps:
	@scripts/deps.sh build

test-deps:
	@scripts/deps.sh test

build: deps
	$(SWIFT) build -c release

test: test-deps
	$(SWIFT) build --build-tests
	$(AS_ROOT) USAGED_TEST_ENGINE=required $(SWIFT) test --skip-build

# As `test`, with the long runs: more writes for the delay figures, more operations for the random work.
test-all: test-deps
	$(SWIFT) build --build-tests
	$(AS_ROOT) USAGED_TEST_ENGINE=required USAGED_TEST_ALL=1 $(SWIFT) test --skip-build

demo: build
	@STORE="$(STORE)" scripts/demo.sh

bench: build
	@scripts/bench.sh

lint:
	$(SWIFT) format lint --strict --recursive Sources Tests Package.swift

format:
	$(SWIFT) format --in-place --recursive Sources Tests Package.swift

# Installs what `make build` built; run `make build` first, as a user, so that root need not compile.
install:
	@test -x .build/release/usaged || { echo "nothing is built yet; run: make build" >&2; exit 1; }
	install -D -m 0755 .build/release/usaged $(DESTDIR)$(PREFIX)/sbin/usaged
	install -D -m 0755 .build/release/usage-client $(DESTDIR)$(PREFIX)/bin/usage-client
	test -e $(DESTDIR)/etc/usaged/usaged.yaml \
	    || install -D -m 0644 etc/usaged/usaged.yaml $(DESTDIR)/etc/usaged/usaged.yaml
	install -d -m 0755 $(DESTDIR)/etc/usaged/conf.d
	for unit in systemd/*.service systemd/*.socket; do \
	    sed 's|/usr/sbin/usaged|$(PREFIX)/sbin/usaged|' $$unit | install -D -m 0644 /dev/stdin \
	    $(DESTDIR)$(PREFIX)/lib/systemd/system/$${unit##*/} || exit 1; done
	for catalog in systemd/*.catalog; do [ ! -e $$catalog ] || \
	    install -D -m 0644 $$catalog $(DESTDIR)$(PREFIX)/lib/systemd/catalog/$${catalog##*/} || exit 1; done
	for users in systemd/*.sysusers; do [ ! -e $$users ] || \
	    install -D -m 0644 $$users $(DESTDIR)$(PREFIX)/lib/sysusers.d/$$(basename $$users .sysusers).conf \
	    || exit 1; done

clean:
	$(SWIFT) package clean
