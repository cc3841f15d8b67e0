# OfflineStore. `make demo` and `make test` are all that a new clone needs.
#
#   make setup    install what the build and the demo need: libsodium, zlib, SQLite, pkg-config, iso-codes, tzdata
#   make demo     build, then show the store at work on real data (under a minute, the build apart)
#   make test     build and run all tests
#   make bench    measure beside other stores (Benchmarks/, a package of its own, release build)
#   make format   format all Swift sources in place
#   make lint     check formatting and style; any finding fails
#   make clean    remove what was built

SWIFT ?= swift
# What the demo is built as. Debug shares its build with `make test`; with release its times are those of the benchmarks.
DEMO_CONFIGURATION ?= debug
# Options of the measurement; --help lists them.
BENCH_ARGUMENTS ?=

swift_sources = $(wildcard Sources Tests Benchmarks Package.swift)

# Where package managers put the demo's data; the first that exists is named in the demo's output.
iso_codes = $(wildcard /usr/share/iso-codes/json /opt/homebrew/share/iso-codes/json \
	/usr/local/share/iso-codes/json)
time_zones = $(wildcard /usr/share/zoneinfo/zone1970.tab /usr/share/zoneinfo/zone.tab)

.PHONY: setup demo test bench format lint clean

setup:
	@command -v $(SWIFT) >/dev/null 2>&1 || { \
	    echo "setup: no Swift toolchain found (6.2 or newer, see https://www.swift.org/install)" >&2; exit 1; }
	@missing=""; \
	pkg-config --exists libsodium 2>/dev/null || missing="$$missing libsodium-dev"; \
	pkg-config --exists zlib 2>/dev/null || missing="$$missing zlib1g-dev"; \
	pkg-config --exists sqlite3 2>/dev/null || missing="$$missing libsqlite3-dev"; \
	command -v pkg-config >/dev/null 2>&1 || missing=" pkg-config$$missing"; \
	[ -n "$(iso_codes)" ] || missing="$$missing iso-codes"; \
	[ -n "$(time_zones)" ] || missing="$$missing tzdata"; \
	if [ -z "$$missing" ]; then echo "setup: everything is there"; exit 0; fi; \
	if ! command -v apt-get >/dev/null 2>&1; then \
	    echo "setup: missing (by their Debian names):$$missing" >&2; \
	    echo "setup: there is no apt-get here; install them with this system's package manager," >&2; \
	    echo "setup: on macOS: brew install pkg-config libsodium sqlite iso-codes" >&2; \
	    exit 1; \
	fi; \
	if [ "$$(id -u)" = 0 ]; then as_root=""; \
	elif command -v sudo >/dev/null 2>&1; then as_root="sudo"; \
	else echo "setup: not root and no sudo; as root, run: apt-get install$$missing" >&2; exit 1; fi; \
	echo "setup: installing$$missing"; \
	$$as_root apt-get update -qq && \
	$$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing

demo: setup
	$(SWIFT) build --configuration $(DEMO_CONFIGURATION) --product offline
	$(SWIFT) build --configuration $(DEMO_CONFIGURATION) --product offline-demo
	@$(SWIFT) run --configuration $(DEMO_CONFIGURATION) --skip-build offline-demo

test: setup
	$(SWIFT) test --no-parallel

bench: setup
	$(SWIFT) run --configuration release --package-path Benchmarks offline-bench $(BENCH_ARGUMENTS)

format:
	$(SWIFT) format format --in-place --recursive --parallel $(swift_sources)

lint:
	$(SWIFT) format lint --strict --recursive --parallel $(swift_sources)

clean:
	rm -rf .build Benchmarks/.build
