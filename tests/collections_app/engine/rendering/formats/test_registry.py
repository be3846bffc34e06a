from importlib import import_module
from pathlib import Path

from collections_app.engine.rendering import formats
from collections_app.engine.rendering.formats.registry import ACCEPTED, FAMILIES, FORMATS, OFFICE_CONTENT_TYPES

# Modules of the package that describe no format.
SUPPORT = {"__init__", "base", "documentation", "pillow", "registry"}


def test_every_module_is_registered() -> None:
    modules = {path.stem for path in Path(formats.__path__[0]).glob("*.py")} - SUPPORT
    families = [import_module(f"{formats.__name__}.{module}").FAMILY for module in modules]
    assert sorted(map(id, families)) == sorted(map(id, FAMILIES))


def test_content_types_and_extensions_are_unique() -> None:
    assert len({format_.content_type for format_ in FORMATS}) == len(FORMATS)
    assert len({format_.extension for format_ in FORMATS}) == len(FORMATS)


def test_every_family_can_detect_its_formats() -> None:
    assert all(family.formats and (family.detect or family.detect_unsigned) for family in FAMILIES)


def test_every_renderer_has_the_function_that_the_child_calls() -> None:
    for renderer in {format_.renderer for format_ in FORMATS}:
        assert callable(import_module(renderer).render_pages)


def test_images_have_what_pillow_needs_and_other_formats_do_not() -> None:
    for format_ in FORMATS:
        is_image = format_.content_type.startswith("image/")
        assert is_image == bool(format_.read_size) == bool(format_.pillow_format), format_.name


def test_office_formats_are_known_by_their_content_type() -> None:
    assert {format_.content_type for format_ in FORMATS if format_.via_office} == OFFICE_CONTENT_TYPES
    assert "application/pdf" not in OFFICE_CONTENT_TYPES


def test_the_error_detail_names_every_format() -> None:
    assert all(format_.name in ACCEPTED for format_ in FORMATS)
