"""The worker of a Runpod queue endpoint: `python -m embeddings.launchers.runpod_handler`.

For a load-balancing endpoint run `python -m embeddings`.
"""

import logging
import sys
from typing import Any

import runpod
from runpod.serverless.modules.rp_logger import RunPodLogger

from embeddings import config
from embeddings.launchers import jobs
from embeddings.launchers.background import BackgroundService, StartupFailed


def main() -> None:
    """Load the model, then take jobs until the process is stopped."""
    try:
        # The queue checks API keys.
        settings = config.load({"COLPALI_AUTH": "gateway"})
    except config.ConfigError as error:
        sys.exit(str(error))
    logging.basicConfig(level=settings.log_level, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    # At these levels it logs every result, which is megabytes of vectors.
    if RunPodLogger().level in ("DEBUG", "TRACE"):
        RunPodLogger().set_level("INFO")
    service = BackgroundService(settings)
    try:
        service.start()
    except StartupFailed as error:
        sys.exit(str(error))

    async def handle(job: dict[str, Any]) -> dict[str, Any]:
        return await jobs.run(job["input"], service=service)

    # Concurrent jobs share batches.
    runpod.serverless.start({"handler": handle, "concurrency_modifier": lambda _: settings.batch_size})


if __name__ == "__main__":
    main()
