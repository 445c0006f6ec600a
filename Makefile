# Tidegate: everything a fresh Debian 12 machine with Swift 6.3 needs. `make help` lists the targets.

SHELL := /bin/bash
.DEFAULT_GOAL := help
DATA ?= demo-data

# What the server links with and starts from, then what only the tests use.
BUILD_PACKAGES := libpq-dev libargon2-dev libcurl4-openssl-dev libqrencode-dev libzstd-dev zlib1g-dev libldap-dev libsqlite3-dev pkg-config python3-pip
TEST_PACKAGES := cpio slapd ldap-utils postgresql-15 mosquitto mosquitto-clients rsyslog rsyslog-openssl strongswan-pki libstrongswan-standard-plugins curl openssl python3-venv python3-dev chromium libnss3-tools swupdate shellcheck busybox iproute2
BENCH_PACKAGES := mosquitto victoria-metrics util-linux bc curl openssl python3

.PHONY: help
help: ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

.PHONY: swift
swift:
	@Scripts/require-swift

.PHONY: build-packages
build-packages:
	@Scripts/install-packages $(BUILD_PACKAGES)

.PHONY: test-packages
test-packages:
	@Scripts/install-packages $(BUILD_PACKAGES) $(TEST_PACKAGES)

.PHONY: vendor
vendor: build-packages
	@Scripts/fetch-vendor

.PHONY: build
build: swift build-packages vendor ## Build the programs for use (release)
	swift build -c release --static-swift-stdlib --product tidegate

.PHONY: demo
demo: build ## Build, then run a server with 50 simulated devices; PORT_BASE=9443 moves its ports, DATA its directory
	.build/release/tidegate demo --data $(DATA) $(if $(PORT_BASE),--port-base $(PORT_BASE))

.PHONY: test
test: swift test-packages vendor ## Run every test: unit, service (SQLite and PostgreSQL) and acceptance
	Scripts/test

.PHONY: format
format: swift ## Lay out all Swift code
	swift format --in-place --recursive --parallel Package.swift Sources Tests Benchmarks/Package.swift Benchmarks/Sources Fuzz/Package.swift Fuzz/Sources

.PHONY: lint
lint: swift ## Check the layout and the rules of the code, change nothing
	swift format lint --strict --recursive --parallel Package.swift Sources Tests Benchmarks/Package.swift Benchmarks/Sources Fuzz/Package.swift Fuzz/Sources

.PHONY: bench
bench: swift ## Measure beside the peers and print the table of docs/performance.md
	@Scripts/install-packages $(BUILD_PACKAGES) $(BENCH_PACKAGES)
	Scripts/bench

.PHONY: fuzz
fuzz: swift build-packages ## Feed each decoder random bytes for a minute
	Scripts/fuzz

.PHONY: package
package: build ## Make the server's and the agent's Debian packages in dist/
	Scripts/package
	Scripts/package-agent

.PHONY: clean
clean: ## Remove what building and the demo left
	rm -rf .build .build-* .venv dist $(DATA) Benchmarks/.build Fuzz/.build
