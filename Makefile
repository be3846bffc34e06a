# Every target first installs what it needs into the checkout, which takes no time when repeated.
VENV_PYTHON := .venv/bin/python

# A configuration for commands that only read the code; nothing listens at these addresses.
check migrations schema: export PALIAPI_MODE := development
check migrations schema: export PALIAPI_HOME := .tools/nothing
check migrations schema: export LOG_LEVEL := ERROR
check migrations schema: export SECRET_KEY := for-looking-at-the-code-only-no-secret
check migrations schema: export API_KEY_PEPPERS := 1:for-looking-at-the-code-only-no-secret
check migrations schema: export DATABASE_URL := postgresql://nobody@127.0.0.1:1/none
check migrations schema: export REDIS_URL := redis://127.0.0.1:1/0
check migrations schema: export EMBEDDINGS_URL := http://127.0.0.1:1

.PHONY: help install run test test-models test-launchers check fmt migrations schema bench bench-embeddings bench-ocr bench-peers bench-load
.PHONY: pin-images bench-large bench-fairness bench-retrieval bench-report bench-gpu bench-ingest attack bombs chaos fuzz slow-clients soak thousand bench-quality bench-first-hour bench-console

help:
	@echo 'make run     start everything; http://localhost:8001'
	@echo 'make test    run the tests'
	@echo 'make test-browser   test the console in Chromium (needs chromium and npm)'
	@echo 'make screenshots   take the pictures of the console in the documentation (needs chromium)'
	@echo 'make test-clients   build, install and test the clients, each in an empty environment (needs npm for one of them)'
	@echo 'make test-models, make test-launchers   run the tests that need the groups gpu, runpod and modal'
	@echo 'make contract   check a running server with Spectral, Redocly, Postman and schemathesis (needs npm)'
	@echo 'make check   check formatting, lint, types, import contracts, migrations and the OpenAPI document'
	@echo 'make fmt     format the code'
	@echo 'make schema  write docs/openapi.yaml and the other generated pages'
	@echo 'make migrations   write the migrations of changed models'
	@echo 'make pin-images   pin the base images of the containers by digest (needs Docker and a registry)'
	@echo 'make bench   run the benchmarks; docs/benchmarks.md lists more'
	@echo 'make attack  try known attacks against a stack of its own'
	@echo 'make bombs   send hostile files and responses'
	@echo 'make audit, make sbom   look for known vulnerabilities of dependencies; list them in dist/paliapi.cdx.json'
	@echo 'make fuzz    fuzz the parsers of untrusted bytes'
	@echo 'make slow-clients   attack the web server with ten thousand slow connections'
	@echo 'make chaos, make thousand   inject faults during ingestion; ingest a thousand documents while workers are killed'
	@echo 'make soak    load the embeddings service with misbehaving clients'

install:
	@sh .ci/install

run: install
	@exec $(VENV_PYTHON) manage.py up

test: install
	$(VENV_PYTHON) -m pytest -n logical --dist worksteal --cov --cov-report=term:skip-covered $(if $(ARGS),--cov-fail-under=0) $(ARGS)

# The groups for visual models and rented machines are large, so they have their own environments.
test-models test-launchers bench-peers bench-gpu fuzz audit sbom: UV := $(shell command -v uv || echo .tools/bin/uv)

test-models: install
	UV_PROJECT_ENVIRONMENT=.tools/models $(UV) sync --locked --quiet --group gpu
	.tools/models/bin/python -m pytest -m 'torch and not gpu' tests/embeddings/with_torch $(ARGS)

test-launchers: install
	UV_PROJECT_ENVIRONMENT=.tools/launchers $(UV) sync --locked --quiet --group runpod --group modal
	.tools/launchers/bin/python -m pytest -m launchers tests/embeddings/launchers $(ARGS)

# Builds the clients, installs each into an empty environment under .tools/clients, and runs its tests and its journey.
.PHONY: test-clients
test-clients: install
	$(VENV_PYTHON) -m clients.verify $(ARGS)

# Against everything that `make run` starts; screenshots of every page are then in .tools/screenshots.
.PHONY: test-browser screenshots
test-browser screenshots: UV := $(shell command -v uv || echo .tools/bin/uv)
test-browser: install
	UV_PROJECT_ENVIRONMENT=.tools/browser $(UV) sync --locked --quiet --group browser
	.tools/browser/bin/python -m pytest -m browser tests/browser $(ARGS)

# The pictures of the console in README.md and docs/console.md; commit the result.
screenshots: install
	UV_PROJECT_ENVIRONMENT=.tools/browser $(UV) sync --locked --quiet --group browser
	.tools/browser/bin/python -m tests.browser.screenshots

.PHONY: contract
contract: install
	$(VENV_PYTHON) -m tests.contract $(ARGS)

check: install
	$(VENV_PYTHON) -m ruff format --check --quiet .
	$(VENV_PYTHON) -m ruff check --quiet .
	$(VENV_PYTHON) -m mypy .
	$(VENV_PYTHON) .venv/bin/lint-imports --no-logo
	$(VENV_PYTHON) manage.py check --fail-level WARNING
	$(VENV_PYTHON) -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run
	@mkdir -p .tools
	$(VENV_PYTHON) manage.py spectacular --validate --fail-on-warn --file .tools/openapi.yaml
	diff -u docs/openapi.yaml .tools/openapi.yaml

fmt: install
	$(VENV_PYTHON) -m ruff check --fix --quiet . ; $(VENV_PYTHON) -m ruff format .

migrations: install
	$(VENV_PYTHON) -W ignore::RuntimeWarning manage.py makemigrations

schema: install
	$(VENV_PYTHON) manage.py write_docs

# Needs Docker and a registry that can be reached; commit the result.
pin-images:
	@deploy/pin-images

bench: install
	$(VENV_PYTHON) -m benchmarks $(ARGS)

chaos: install
	$(VENV_PYTHON) -m drills.chaos $(ARGS)

attack: install
	$(VENV_PYTHON) -m drills.attack $(ARGS)

bombs: install
	$(VENV_PYTHON) -m drills.bombs

slow-clients: install
	$(VENV_PYTHON) -m drills.slow_clients $(ARGS)

soak: install
	$(VENV_PYTHON) -m drills.soak $(ARGS)

# By the lock, of what `make run` installs. `audit` asks osv.dev, or the service that UV_AUDIT_FLAGS names.
.PHONY: audit sbom
audit: install
	$(UV) audit --locked --preview-features audit-command $(UV_AUDIT_FLAGS)

sbom: install
	@mkdir -p dist
	$(UV) export --locked --quiet --no-default-groups --group embedded --preview-features sbom-export \
		--format cyclonedx1.5 --output-file dist/paliapi.cdx.json

# atheris exists for Linux and macOS, and only this needs it.
fuzz: install
	UV_PROJECT_ENVIRONMENT=.tools/fuzz/venv $(UV) sync --locked --quiet --no-default-groups --group fuzz
	.tools/fuzz/venv/bin/python -m drills.fuzz $(ARGS)

thousand: install
	$(VENV_PYTHON) -m drills.thousand

bench-ingest: install
	$(VENV_PYTHON) -m benchmarks.ingest.overhead
	$(VENV_PYTHON) -m benchmarks.ingest.one_page_documents
	$(VENV_PYTHON) -m benchmarks.ingest.renderer_start

.PHONY: bench-clients
bench-clients: install
	PYTHONPATH=clients/python/src $(VENV_PYTHON) -m benchmarks.clients.python_client $(ARGS)

bench-console: install
	$(VENV_PYTHON) -m benchmarks.console.server_time $(ARGS)

bench-first-hour: install
	$(VENV_PYTHON) -m benchmarks.ingest.first_hour $(ARGS)

# Fetches the pages once, from a Debian mirror.
bench-quality: install
	$(VENV_PYTHON) -m benchmarks.quality $(ARGS)

bench-embeddings: install
	$(VENV_PYTHON) -m benchmarks embeddings.service_overhead embeddings.search_quality embeddings.text_models

bench-ocr: install
	$(VENV_PYTHON) -m benchmarks.embeddings.ocr $(ARGS)

bench-peers: install
	UV_PROJECT_ENVIRONMENT=.tools/peers $(UV) sync --locked --quiet --no-default-groups --group bench
	.tools/peers/bin/python -m benchmarks.search.peers $(ARGS)

bench-large: install
	$(VENV_PYTHON) -m benchmarks.search.large $(ARGS)

bench-load: install
	$(VENV_PYTHON) -m benchmarks.load.http_load $(ARGS)

bench-fairness: install
	$(VENV_PYTHON) -m benchmarks.load.fairness $(ARGS)

bench-retrieval: install
	$(VENV_PYTHON) -W ignore -m benchmarks.search.documentation .tools/bench/documentation
	$(VENV_PYTHON) -m benchmarks.search.retrieval --write $(addprefix .tools/bench/documentation/,pages queries.jsonl qrels.tsv)

bench-gpu: install
	UV_PROJECT_ENVIRONMENT=.tools/models $(UV) sync --locked --quiet --group gpu
	.tools/models/bin/python -m benchmarks.embeddings.gpu $(ARGS)

bench-report: install
	$(VENV_PYTHON) -m benchmarks.report
