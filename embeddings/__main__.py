"""`python -m embeddings`: serve on a port."""

import logging
import sys
from importlib import import_module

from embeddings import config
from embeddings.backends.reading import tesseract
from embeddings.confinement import confine, is_for_cpus


def main() -> None:
    """Serve with the settings of the environment, in a confined process."""
    try:
        _serve(config.load())
    except config.ConfigError as error:
        sys.exit(str(error))


def _serve(settings: config.Settings) -> None:
    logging.basicConfig(level=settings.log_level, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    if is_for_cpus(settings):
        tesseract.start()
    confine(settings)
    # Imported only now, because it starts threads, and a process with several threads cannot be confined.
    import_module("embeddings.server.serve").serve(settings)


if __name__ == "__main__":
    main()
