"""Office files of revisions: converted once, then rendered slice by slice."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.storage import storages
from django.utils import timezone
from pytest_django import Settings

from accounts.ownership import acting_as_staff, acting_for
from collections_app import failpoints
from collections_app.ingest import worker
from collections_app.models import StoredFile
from collections_app.storage import housekeeping
from tests.cast import Someone
from tests.collections_app.documents import put
from tests.collections_app.engine.rendering.programs import converter, needs_libreoffice, program
from tests.collections_app.engine.rendering.samples import docx, pdf, pptx
from tests.collections_app.ingestion import (
    end_waits,
    get_document,
    latest_revision,
    process_all,
    shown_texts,
)

TEXTS = ["alpha", "beta", "gamma"]


@pytest.fixture
def three_page_converter(settings: Settings, public_path: Path) -> Path:
    """Replace LibreOffice by a program that converts anything to three pages."""
    settings.ENV = replace(settings.ENV, soffice=converter(public_path, pdf(*TEXTS)))
    return public_path


def age_all_files() -> None:
    with acting_as_staff():
        StoredFile.objects.update(wanted_at=timezone.now() - timedelta(days=365))


@needs_libreoffice
@pytest.mark.django_db(
    transaction=True
)  # LibreOffice may take so long that the lease is renewed, by another connection
def test_office_file_becomes_searchable_with_its_text(owner: Someone) -> None:
    put(owner, "slides.pptx", pptx("The first slide", "The second slide"))
    process_all()
    assert shown_texts(owner, "slides.pptx") == ["The first slide", "The second slide"]
    assert latest_revision(owner, "slides.pptx").timings["convert"] > 0


@pytest.mark.usefixtures("three_page_converter")
def test_converted_file_is_deleted_once_the_revision_is_ready(owner: Someone) -> None:
    put(owner, "report.docx", docx("x"))
    process_all()
    assert shown_texts(owner, "report.docx") == TEXTS
    converted = latest_revision(owner, "report.docx").converted_id
    assert converted
    assert housekeeping.delete_unused_files() == 0, "it is young"
    age_all_files()
    assert housekeeping.delete_unused_files() == 1
    assert latest_revision(owner, "report.docx").converted_id is None
    with acting_for(owner.id):
        assert not StoredFile.objects.filter(pk=converted).exists()


def kill_worker_after_conversion(settings: Settings) -> None:
    settings.ENV = replace(settings.ENV, failpoint="converted=raise")
    with pytest.raises(failpoints.Fault):
        worker.run()
    settings.ENV = replace(settings.ENV, failpoint="")
    end_waits()


def test_file_is_converted_only_once_even_if_the_worker_dies(
    owner: Someone, three_page_converter: Path, settings: Settings
) -> None:
    put(owner, "report.docx", docx("x"))
    kill_worker_after_conversion(settings)
    converted = latest_revision(owner, "report.docx").converted_id
    assert converted
    program(three_page_converter, "exit 1")
    age_all_files()
    assert housekeeping.delete_unused_files() == 0, "pages will be rendered from it"
    process_all()
    assert shown_texts(owner, "report.docx") == TEXTS
    assert latest_revision(owner, "report.docx").converted_id == converted


def test_missing_converted_file_is_created_again(
    owner: Someone, three_page_converter: Path, settings: Settings
) -> None:
    put(owner, "report.docx", docx("x"))
    kill_worker_after_conversion(settings)
    with acting_for(owner.id):
        converted = StoredFile.objects.get(pk=latest_revision(owner, "report.docx").converted_id or 0)
    storages["default"].delete(converted.key)
    converter(three_page_converter, pdf("made", "again"))
    process_all()
    assert shown_texts(owner, "report.docx") == ["made", "again"]
    with acting_for(owner.id):
        StoredFile.objects.filter(pk=converted.pk).delete()


def test_without_libreoffice_the_document_fails_and_can_be_retried(
    owner: Someone, settings: Settings, public_path: Path
) -> None:
    settings.ENV = replace(settings.ENV, soffice="/nowhere/soffice")
    put(owner, "report.docx", docx("x"))
    process_all()
    assert get_document(owner, "report.docx")["error"]["code"] == "converter_missing"
    settings.ENV = replace(settings.ENV, soffice=converter(public_path, pdf("at last")))
    owner.post("/v1/documents/report.docx/retry/", {})
    process_all()
    assert shown_texts(owner, "report.docx") == ["at last"]


@pytest.mark.parametrize(
    ("script", "code"),
    [("exit 1", "conversion_failed"), ("sleep 60", "render_took_too_long")],
)
def test_file_that_cannot_be_converted_fails_with_a_code(
    owner: Someone, settings: Settings, public_path: Path, script: str, code: str
) -> None:
    settings.ENV = replace(settings.ENV, soffice=program(public_path, script), convert_timeout_s=1)
    put(owner, "report.docx", docx("x"))
    process_all()
    assert get_document(owner, "report.docx")["error"]["code"] == code


def test_text_files_need_no_converter(owner: Someone) -> None:
    put(owner, "notes.md", "# Lights\n\nGrüße vom Pharos".encode())
    process_all()
    assert shown_texts(owner, "notes.md") == ["# Lights\n\nGrüße vom Pharos"]
