# Every target installs what it needs into the checkout first; the second time that costs nothing.
PYTHON_OF_CHECKOUT := .venv/bin/python
PACKAGES := paliapi accounts collections_app embeddings

# Enough of a configuration for commands that only look at the code; nothing listens there.
ONLY_LOOKING := env PALIAPI_MODE=development PALIAPI_HOME=.tools/nothing LOG_LEVEL=WARNING \
	SECRET_KEY=for-looking-at-the-code-only-no-secret API_KEY_PEPPERS=1:for-looking-at-the-code-only-no-secret \
	DATABASE_URL=postgresql://nobody@127.0.0.1:1/none REDIS_URL=redis://127.0.0.1:1/0 \
	EMBEDDINGS_URL=http://127.0.0.1:1 $(PYTHON_OF_CHECKOUT) -W ignore::RuntimeWarning

.PHONY: help install run test check fmt schema bench

help:
	@echo 'make run     start everything; http://localhost:8001'
	@echo 'make test    run the tests'
	@echo 'make check   formatting, lint, types, import arrows, migrations, the OpenAPI document'
	@echo 'make fmt     format the code'
	@echo 'make schema  write docs/openapi.yaml'
	@echo 'make bench   measure'

install:
	@sh .ci/install

run: install
	@exec $(PYTHON_OF_CHECKOUT) manage.py up

test: install
	$(PYTHON_OF_CHECKOUT) -m pytest $(addprefix --cov=,$(PACKAGES)) --cov-report=term:skip-covered $(ARGS)

check: install
	$(PYTHON_OF_CHECKOUT) -m ruff format --check --quiet .
	$(PYTHON_OF_CHECKOUT) -m ruff check --quiet .
	$(ONLY_LOOKING) -m mypy .
	$(PYTHON_OF_CHECKOUT) .venv/bin/lint-imports
	$(ONLY_LOOKING) manage.py check --fail-level WARNING
	$(ONLY_LOOKING) manage.py makemigrations --check --dry-run
	@mkdir -p .tools
	$(ONLY_LOOKING) manage.py spectacular --validate --fail-on-warn --file .tools/openapi.yaml
	diff -u docs/openapi.yaml .tools/openapi.yaml

fmt: install
	$(PYTHON_OF_CHECKOUT) -m ruff check --fix --quiet . ; $(PYTHON_OF_CHECKOUT) -m ruff format .

schema: install
	$(ONLY_LOOKING) manage.py spectacular --validate --fail-on-warn --file docs/openapi.yaml

bench: install
	$(PYTHON_OF_CHECKOUT) -m benchmarks $(ARGS)
