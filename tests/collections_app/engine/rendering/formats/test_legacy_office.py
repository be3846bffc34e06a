import pytest

from collections_app.engine.rendering.errors import FileDamaged, FileEncrypted, UnsupportedType
from tests.collections_app.engine.rendering.formats.detection import format_of
from tests.collections_app.engine.rendering.samples import ole2


@pytest.mark.parametrize(
    ("streams", "extension"),
    [
        (["WordDocument"], "doc"),
        (["a", "b", "c", "d", "e", "PowerPoint Document"], "ppt"),
        (["Workbook"], "xls"),
        (["Book"], "xls"),
    ],
)
def test_the_main_stream_decides(streams: list[str], extension: str) -> None:
    format_ = format_of(ole2(*streams))
    assert (format_.extension, format_.via_office) == (extension, True)


def test_other_containers_are_refused() -> None:
    with pytest.raises(UnsupportedType, match="archive"):
        format_of(ole2("something else"))


def test_encrypted_office_open_xml_is_detected() -> None:
    with pytest.raises(FileEncrypted):
        format_of(ole2("EncryptionInfo", "EncryptedPackage"))


def test_a_truncated_container_is_damaged() -> None:
    with pytest.raises(FileDamaged):
        format_of(ole2("WordDocument")[:100])
