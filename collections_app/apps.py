"""The Django application, and what it contributes to metrics and readiness."""

from django.apps import AppConfig

from collections_app.storage.grants import GRANTS


class CollectionsConfig(AppConfig):
    name = "collections_app"
    verbose_name = "Collections"
    grants = GRANTS
    # What `make schema` writes besides the pages of `paliapi.generated_docs`.
    generated_docs = {"docs/formats.md": "collections_app.engine.rendering.formats.documentation.update"}

    def ready(self) -> None:
        # These modules import models, which are only loaded by now.
        from collections_app.engine.rendering import confinement  # noqa: PLC0415
        from collections_app.ingest.metrics import collect, count_waiting  # noqa: PLC0415
        from collections_app.search import collect_recall_metrics  # noqa: PLC0415
        from paliapi import health, metrics  # noqa: PLC0415

        metrics.collect_on_scrape(collect)
        metrics.collect_on_scrape(collect_recall_metrics)
        health.details["waiting"] = count_waiting
        health.details["sandbox"] = lambda: confinement.standing_walls().to_dict()
