.DEFAULT_GOAL := help
BIN := .venv/bin
DEBIAN := gpsd:gpsd gpsd-clients:gpsfake mosquitto:mosquitto mosquitto-clients:mosquitto_sub curl:curl chromium:chromium chromium-headless-shell:chromium-headless-shell socat:socat gcc:cc iproute2:ip prometheus:promtool nodejs:node npm:npm influxdb:influxd nginx:nginx device-tree-compiler:dtc graphviz:dot systemd:systemd-analyze udev:udevadm chrony:chronyd network-manager:nmcli nftables:nft python3-pip:pip3 e2fsprogs:mkfs.ext4 procps:sysctl
COMPILE := $(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-header

# A test starts some hundred processes of ours: let them find what the first has compiled.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup setup-test demo test proof lint lock schemas kit vendor

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

setup: .venv/.done ## make .venv with what the lock names, checked by hash

.venv/.done: requirements.lock requirements-gpsd-poll.lock pyproject.toml
	@python=$$(tools/find-python) || exit 1; \
	$(BIN)/python -c pass 2>/dev/null || "$$python" -m venv --clear .venv
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes --only-binary :all: -r requirements.lock
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes --no-deps --no-build-isolation -r requirements-gpsd-poll.lock
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

setup-test: ## add the Debian packages and node packages that the tests drive
	@tools/install-debian-packages $(DEBIAN)
	@$(MAKE) -s tests/node/node_modules/.done

tests/node/node_modules/.done: tests/node/package-lock.json
	@npm ci --loglevel=error --prefix tests/node
	@touch $@

demo: setup ## a simulated county on a live board
	$(BIN)/watchroom demo

lint: setup ## style, types and the direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: setup setup-test lint ## everything that must hold
	$(BIN)/pytest -q -n 5 --dist loadfile --no-loadscope-reorder

proof: setup setup-test ## the long attempt to lose a press: writes docs/proof.md
	$(BIN)/python -m tests.chaos.proof

lock: setup ## renew the three locks
	$(COMPILE) --upgrade pyproject.toml --extra dev -o requirements.lock
	$(COMPILE) pyproject.toml --extra edge --extra gpio -c requirements.lock -o requirements-edge.lock
	echo 'gpsd-py3>=0.3' | $(COMPILE) --no-deps - -o requirements-gpsd-poll.lock

schemas: setup ## write wire/published from the structs
	$(BIN)/python -m wire.publish

kit: setup ## check hardware/ and the profiles, and write what is generated from them
	$(BIN)/python -m kit.render

vendor: setup ## renew what the board's map is made of (needs npm): see cloud/console/vendor/manifest.toml
	$(BIN)/python tools/vendor_console.py
