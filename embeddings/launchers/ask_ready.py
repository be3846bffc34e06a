"""For health checks in containers: ends with 0 if the service of this container is ready."""

import sys

import httpx

from embeddings import config


def main() -> None:
    """Ask the service on its own port."""
    # Who asks for /ready needs no key.
    port = config.load({"COLPALI_AUTH": "none"}).port
    try:
        answer = httpx.get(f"http://127.0.0.1:{port}/ready", timeout=4)
    except httpx.HTTPError as problem:
        sys.exit(f"The service does not answer: {problem}")
    sys.exit(0 if answer.status_code == 200 else f"The service answers {answer.status_code}.")


if __name__ == "__main__":
    main()
