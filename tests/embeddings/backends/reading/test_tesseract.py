"""Tesseract in a process of its own, here with a program in its place that gives known answers."""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from embeddings.backends.ocr import UNKNOWN, OcrReader
from embeddings.backends.reading import tesseract
from embeddings.backends.reading.tesseract import Tesseract, words_of_tsv
from tests.embeddings.serving import text_image

CYRILLIC = Image.open(Path(__file__).with_name("cyrillic.png")).convert("RGB")
PAGE, SIZE = bytes(100 * 50), (100, 50)
# It reports what it can see: the size of its input, and whether it can read a file of the machine.
PROGRAM = """#!/bin/sh
case "$*" in
*--list-langs*) printf 'List of available languages in "%s/" (2):\\n%s\\n' "${0%/*}" "$(cat "${0%/*}/languages")" ;;
*"-l failing"*) exit 3 ;;
*"--psm 0"*) cat > /dev/null; echo "Page number: 0"; echo "Script: Cyrillic" ;;
*) size=$(wc -c); secret=$(cat /etc/passwd 2> /dev/null | wc -l)
   printf 'a\\tb\\n5\\t1\\t1\\t1\\t1\\t1\\t44\\t16\\t88\\t32\\t96.5\\t%s\\n' "$size-$secret-$COLPALI_API_KEY" ;;
esac
"""


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Install a program that can be run by the user that the process changes to."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    file = folder / "tesseract"
    file.write_text(PROGRAM)
    file.chmod(0o755)
    (folder / "languages").write_text("osd\nCyrillic\nfailing")
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)
    monkeypatch.setenv("COLPALI_API_KEY", "secret")
    yield file
    shutil.rmtree(folder)


@pytest.fixture
def process(program: Path) -> Iterator[Tesseract]:
    started = tesseract.start()
    assert started
    yield started
    started.close()


def test_script_of_a_page(process: Tesseract) -> None:
    assert process.script_of(PAGE, SIZE) == "Cyrillic"
    assert process.languages == {"Cyrillic", "failing"}
    assert tesseract.running() is process


def test_program_gets_the_pixels_and_neither_files_nor_secrets(process: Tesseract) -> None:
    (word,) = process.read(PAGE, SIZE, language="Cyrillic")
    size, lines_of_a_file, key = word.text.split("-")
    assert int(size) == len(b"P5 100 50 255\n") + len(PAGE)
    assert key == ""
    if sys.platform == "linux":
        assert int(lines_of_a_file) == 0
    assert word[1:] == (0.44, 0.32, 1.0, 0.96)


def test_failure_of_the_program_is_no_answer(process: Tesseract) -> None:
    assert process.read(PAGE, SIZE, language="failing") == ()
    assert process.script_of(PAGE, SIZE) == "Cyrillic", "the process still works"


def test_process_that_has_ended_gives_no_answers(process: Tesseract) -> None:
    process.close()
    assert process.script_of(PAGE, SIZE) is None
    assert process.read(PAGE, SIZE, language="Cyrillic") == ()


def test_tesseract_without_script_detection_is_not_used(program: Path) -> None:
    program.with_name("languages").write_text("eng")
    assert tesseract.start() is None


def test_words_of_a_table() -> None:
    table = "level\n" + "\n".join(
        [
            "5\t1\t1\t1\t1\t1\t10\t20\t30\t10\t96.1\tVertrag",
            "5\t1\t1\t1\t1\t2\t50\t20\t30\t10\t12.0\tnoise",
            "4\t1\t1\t1\t1\t0\t10\t20\t90\t10\t-1\t",
        ]
    )
    assert words_of_tsv(table, (100, 50)) == [("Vertrag", 0.1, 0.4, 0.4, 0.6)]


def test_page_in_an_unread_script_is_reported() -> None:
    assert OcrReader().read_page(CYRILLIC).unread_script == UNKNOWN
    assert OcrReader().read_page(text_image("Total due", size=(300, 100))).unread_script == ""


def test_page_is_read_by_tesseract_if_it_can(process: Tesseract) -> None:
    read = OcrReader(process).read_page(CYRILLIC)
    assert (len(read.words), read.unread_script) == (1, "")


def test_script_that_tesseract_cannot_read_is_named(program: Path) -> None:
    program.with_name("languages").write_text("osd\neng")
    started = tesseract.start()
    assert started
    assert OcrReader(started).read_page(CYRILLIC).unread_script == "Cyrillic"
    started.close()
