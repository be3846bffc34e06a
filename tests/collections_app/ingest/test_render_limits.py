"""The limits for rendering come from the configuration."""

from dataclasses import replace

import pytest
from pytest_django import Settings

from collections_app.engine.rendering.errors import RenderTookTooLong
from collections_app.ingest import render_limits


def test_limits_are_the_configured_ones(settings: Settings) -> None:
    settings.ENV = replace(
        settings.ENV, max_pages=7, render_megapixels=3, render_memory_mb=512, render_timeout_s=9, render_total_s=100
    )
    limits = render_limits.limits()
    assert (limits.max_pages, limits.megapixels, limits.memory_mb) == (7, 3, 512)
    assert (limits.page_s, limits.total_s) == (9, 100)


def test_walls_are_required_if_the_configuration_says_so(settings: Settings) -> None:
    for value, required in (("required", True), ("best-effort", False)):
        settings.ENV = replace(settings.ENV, render_sandbox=value)
        assert render_limits.limits().sandbox_required is required
        assert render_limits.office_converter().sandbox_required is required


def test_time_of_earlier_slices_is_subtracted(settings: Settings) -> None:
    settings.ENV = replace(settings.ENV, render_total_s=100)
    assert render_limits.limits(spent_s=40.5).total_s == 60
    assert render_limits.limits(spent_s=40.5, total_s=41).total_s == 1
    with pytest.raises(RenderTookTooLong):
        render_limits.limits(spent_s=100)


def test_office_converter_is_the_configured_one(settings: Settings) -> None:
    settings.ENV = replace(settings.ENV, soffice="/opt/soffice", convert_timeout_s=5, render_memory_mb=512)
    converter = render_limits.office_converter()
    assert (converter.program, converter.timeout_s, converter.memory_mb) == ("/opt/soffice", 5, 512)
