"""Health check for containers: exits with 0 if the service of this container is ready."""

import sys

import httpx

from embeddings import config


def main() -> None:
    """Request /ready on the service's own port."""
    # /ready requires no key.
    port = config.load({"COLPALI_AUTH": "none"}).port
    try:
        response = httpx.get(f"http://127.0.0.1:{port}/ready", timeout=4)
    except httpx.HTTPError as error:
        sys.exit(f"The service does not answer: {error}")
    sys.exit(0 if response.status_code == 200 else f"The service answers {response.status_code}.")


if __name__ == "__main__":
    main()
