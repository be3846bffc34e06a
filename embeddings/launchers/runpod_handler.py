"""Runpod's queue endpoints: `python -m embeddings.launchers.runpod_handler`.

For a load-balancing endpoint run `python -m embeddings`, as everywhere else.
"""

import logging
import sys
from typing import Any

import runpod
from runpod.serverless.modules.rp_logger import RunPodLogger

from embeddings import config
from embeddings.launchers import jobs
from embeddings.launchers.background import Background, CannotStart


def main() -> None:
    """Load the model, then take jobs until told to stop."""
    try:
        # The queue checks the key of whoever asks.
        settings = config.load({"COLPALI_AUTH": "gateway"})
    except config.ConfigError as problem:
        sys.exit(str(problem))
    logging.basicConfig(level=settings.log_level, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    # Left alone it writes every result, megabytes of vectors, into the log.
    if RunPodLogger().level in ("DEBUG", "TRACE"):
        RunPodLogger().set_level("INFO")
    service = Background(settings)
    try:
        service.start()
    except CannotStart as problem:
        sys.exit(str(problem))

    async def handle(job: dict[str, Any]) -> dict[str, Any]:
        return await jobs.answer(job["input"], service=service)

    # Several jobs at once, so that they share batches.
    runpod.serverless.start({"handler": handle, "concurrency_modifier": lambda _: settings.batch_size})


if __name__ == "__main__":
    main()
