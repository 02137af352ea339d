# Everything a person types here. Each command installs what it needs and says so.

# `make run ARGS="--s3-listen 127.0.0.1:9100"` hands flags on.
ARGS ?=
DATA ?= ./data
export SWIFT

.PHONY: help run build test unit end-to-end crash lint fmt bench fuzz simulate docs clean packages tools

help:
	@echo 'make run         build and start the gateway on ./data (S3 on :9000, services on :9001)'
	@echo 'make build       build ogw and ogw-media, release'
	@echo 'make test        install the test tools, run every test, print one summary'
	@echo 'make unit        the tests without real clients; make end-to-end: only those with'
	@echo 'make crash       crash it and check what it holds: make crash ARGS="power --cycles 50"'
	@echo 'make lint        check the format; make fmt: apply it'
	@echo 'make bench       measure beside nginx, SeaweedFS and rclone, print a table'
	@echo 'make fuzz        run each fuzzer for a while'
	@echo 'make simulate    run schedules of the store over a simulated disk'
	@echo 'make docs        write the generated pages of docs/'
	@echo 'make clean       remove what was built'

packages:
	@scripts/install-build-packages

tools: packages
	@scripts/install-test-tools

build: packages
	scripts/swift build -c release --product ogw
	scripts/swift build -c release --product ogw-media

run: build
	exec "$$(scripts/swift build -c release --show-bin-path)/ogw" serve --data $(DATA) $(ARGS)

test: tools
	@scripts/test

unit: tools
	@scripts/test unit

end-to-end: tools
	@scripts/test end-to-end

crash: packages
	@scripts/crash $(or $(ARGS),slice)

lint: packages
	@scripts/lint

fmt: packages
	scripts/swift format --in-place --parallel --recursive Package.swift Sources Tests Benchmarks Fuzz

bench: tools build
	scripts/swift build -c release --product ogw-preload
	@scripts/bench $(ARGS)

simulate: packages
	@scripts/simulate $(ARGS)

fuzz: packages
	@scripts/fuzz $(ARGS)

docs: packages
	@scripts/docs

clean:
	rm -rf .build
