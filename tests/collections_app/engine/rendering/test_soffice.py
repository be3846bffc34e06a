import io
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from PIL import Image, ImageChops

from collections_app.engine import process_name
from collections_app.engine.rendering import confinement, soffice
from collections_app.engine.rendering.errors import (
    ConversionFailed,
    ConverterMissing,
    FileEncrypted,
    FileExpandsTooMuch,
    RenderTookTooLong,
    RenderUnavailable,
    SandboxIncomplete,
)
from collections_app.engine.rendering.file_types import sniff
from collections_app.engine.rendering.render import render
from collections_app.engine.rendering.soffice import OfficeConverter, convert_to_pdf, delete_abandoned_runs
from paliapi.errors import Error
from tests.collections_app.engine.rendering.programs import converter, needs_libreoffice, program
from tests.collections_app.engine.rendering.samples import docx, locked_xls, lying_zip, odt, pdf, pptx, xlsx

TEXT = rb"{\rtf1\ansi The lighthouse of Alexandria.\par}"


def convert(content: bytes, converter: OfficeConverter) -> bytes:
    out = io.BytesIO()
    source = io.BytesIO(content)
    convert_to_pdf(source, out, extension=sniff(source).extension, converter=converter)
    return out.getvalue()


def texts_of(content: bytes, **options: int) -> list[str]:
    return [page.text for page in render(io.BytesIO(content), converter=OfficeConverter(**options), dpi=72)]  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def folders_of_runs(public_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder in which runs create theirs."""
    folder = public_path / "runs"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture(params=["with bubblewrap where it works", "without"])
def either_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "without":
        monkeypatch.setattr(soffice, "_bubblewrap", lambda: None)


def test_a_missing_libreoffice_has_its_own_error() -> None:
    with pytest.raises(ConverterMissing) as missing:
        texts_of(TEXT, program="/nowhere/soffice")  # type: ignore[arg-type]
    assert missing.value.code == "converter_missing"


@pytest.mark.usefixtures("either_way")
def test_the_resulting_pdf_is_rendered_and_nothing_is_left(public_path: Path, folders_of_runs: Path) -> None:
    converting = OfficeConverter(program=converter(public_path, pdf("made", "by a program")))
    assert [page.text for page in render(io.BytesIO(TEXT), converter=converting)] == ["made", "by a program"]
    assert list(folders_of_runs.iterdir()) == []


@pytest.mark.parametrize(
    ("script", "error"),
    [
        ("exit 1", ConversionFailed),
        ("exit 0", ConversionFailed),
        ('echo no pdf > "$out/source.pdf"', ConversionFailed),
        ('ln -s /etc/passwd "$out/source.pdf"', ConversionFailed),
        ("exit 137", RenderUnavailable),
        ("exec head -c 600m /dev/zero > $out/source.pdf", ConversionFailed),
        ("x=$(head -c 400m /dev/zero | tr '\\0' x)", ConversionFailed),
    ],
)
def test_a_failed_conversion_has_a_code_and_leaves_nothing(
    public_path: Path, folders_of_runs: Path, script: str, error: type[Error], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(soffice, "_MAX_PDF_MB", 4)
    with pytest.raises(error):
        convert(TEXT, OfficeConverter(program=program(public_path, script), memory_mb=256))
    assert list(folders_of_runs.iterdir()) == []


@pytest.mark.usefixtures("either_way")
def test_a_hanging_conversion_is_killed_with_its_children(public_path: Path) -> None:
    script = "sleep 987 & sleep 987"
    with pytest.raises(RenderTookTooLong):
        convert(TEXT, OfficeConverter(program=program(public_path, script), timeout_s=1))
    assert not [command for command in _commands() if b"sleep\x00987" in command]


def _commands() -> Iterator[bytes]:
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            yield process.read_bytes()


def test_a_conversion_can_be_cancelled(public_path: Path, folders_of_runs: Path) -> None:
    class Cancelled(Exception):
        pass

    def cancel() -> None:
        raise Cancelled

    source = io.BytesIO(TEXT)
    with pytest.raises(Cancelled):
        convert_to_pdf(
            source,
            io.BytesIO(),
            extension="rtf",
            converter=OfficeConverter(program=program(public_path, "sleep 60")),
            check_cancelled=cancel,
        )
    assert list(folders_of_runs.iterdir()) == []


@pytest.mark.usefixtures("either_way")
def test_the_program_sees_no_environment_and_no_other_files(public_path: Path) -> None:
    secret = public_path / "secret"
    secret.write_text("the secret")
    secret.chmod(0o644)
    folder = public_path / "bin"
    folder.mkdir()
    script = f'(env; cat "{secret}"; ls "{public_path}") > "$out/source.pdf" 2>&1; sed -i "1i%PDF-" "$out/source.pdf"'
    output = convert(TEXT, OfficeConverter(program=program(folder, script))).decode()
    assert {line.partition("=")[0] for line in output.splitlines() if "=" in line} <= {
        *("HOME", "LANG", "PATH", "PWD", "TMPDIR", "SHLVL", "_", "OLDPWD"),
    }
    assert "the secret" not in output
    # Landlock refuses to open it; bubblewrap does not show it, or shows the folders that lead to the program.
    assert re.search(r"cat: .*(Permission denied|No such file)", output)
    assert "runs" not in output.partition("cat: ")[2].replace(str(public_path / "runs"), "")


@pytest.mark.usefixtures("either_way")
def test_the_program_is_not_root(public_path: Path) -> None:
    script = '(echo %PDF-; grep -E "^(Uid|CapEff|NoNewPrivs|Seccomp):" /proc/self/status || id -u) > "$out/source.pdf"'
    output = convert(TEXT, OfficeConverter(program=program(public_path, script))).decode().split()
    assert "0" not in output[1:2]


def test_without_the_walls_required_nothing_is_converted(public_path: Path, without_walls: None) -> None:
    with pytest.raises(SandboxIncomplete, match="files"):
        convert(TEXT, OfficeConverter(program=program(public_path, "exit 0"), sandbox_required=True))


@pytest.mark.usefixtures("either_way")
def test_with_the_walls_required_files_are_converted(public_path: Path) -> None:
    confinement.require_walls()
    made = pdf("made")
    assert convert(TEXT, OfficeConverter(program=converter(public_path, made), sandbox_required=True)) == made


def test_an_archive_that_declares_too_little_never_reaches_the_program(public_path: Path) -> None:
    with pytest.raises(FileExpandsTooMuch):
        convert(lying_zip(), OfficeConverter(program=program(public_path, "exit 1")))


def test_an_encrypted_legacy_document_is_reported_as_such(public_path: Path) -> None:
    with pytest.raises(FileEncrypted):
        convert(locked_xls(), OfficeConverter(program=program(public_path, "exit 1")))


def test_only_folders_of_dead_workers_are_deleted(folders_of_runs: Path) -> None:
    for name, owner in (("own", process_name.name_of(os.getpid())), ("gone", process_name.name_of(2**22 + 1))):
        folder = folders_of_runs / f"paliapi-office-{name}"
        folder.mkdir()
        (folder / "owner").write_text(owner)
    (folders_of_runs / "paliapi-office-new").mkdir()
    assert delete_abandoned_runs() == 1
    assert not (folders_of_runs / "paliapi-office-gone").exists()
    assert (folders_of_runs / "paliapi-office-own").exists()


def test_a_folder_whose_owner_is_no_file_is_left_alone(folders_of_runs: Path) -> None:
    for name in ("pipe", "link"):
        (folders_of_runs / f"paliapi-office-{name}").mkdir()
    os.mkfifo(folders_of_runs / "paliapi-office-pipe" / "owner")
    (folders_of_runs / "paliapi-office-link" / "owner").symlink_to("/dev/zero")
    assert delete_abandoned_runs() == 0


@needs_libreoffice
@pytest.mark.parametrize("make", [docx, pptx, xlsx])
def test_every_office_family_is_rendered_with_its_text(make: object) -> None:
    assert callable(make)
    assert "A lamp at 60 metres" in texts_of(make("A lamp at 60 metres"))[0]


@needs_libreoffice
def test_an_invalid_document_is_refused_by_libreoffice() -> None:
    with pytest.raises(ConversionFailed):
        texts_of(docx("x", document=b"<w:document>this is not XML"))


@needs_libreoffice
def test_linked_files_are_not_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(soffice, "_bubblewrap", lambda: None)  # only the profile protects
    secret = tmp_path / "secret.png"
    Image.new("RGB", (100, 100), "red").save(secret)
    [page] = render(io.BytesIO(odt("open", picture_at=secret.as_uri())))
    assert page.text == "open"
    red, _, blue = Image.open(io.BytesIO(page.image)).split()
    assert max(ImageChops.difference(red, blue).tobytes()) < 50
