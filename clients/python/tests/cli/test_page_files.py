"""Page images as files."""

from pathlib import Path

from paliapi_client.cli.page_files import save_page


def test_names_of_the_server_cannot_leave_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "pages"
    for rank, name in enumerate(["../../etc/passwd", "/root/x", "..", "a\x1b[2J\x00b", "x" * 300, "", "C:\\x"]):
        path = save_page(folder, b"\xff\xd8\xff", rank=rank, document_name=name, page_number=3)
        assert path.parent == folder
        assert path.name.isprintable()
    assert {path.name for path in tmp_path.iterdir()} == {"pages"}
    assert (folder / "000-etc-passwd-p3.jpg").read_bytes() == b"\xff\xd8\xff"


def test_link_with_the_name_of_a_page_is_replaced(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_text("precious")
    (tmp_path / "001-a-p1.png").symlink_to(target)
    save_page(tmp_path, b"\x89PNG", rank=1, document_name="a", page_number=1)
    assert target.read_text() == "precious"
