"""Shell scripts that take the place of LibreOffice, each with one behaviour."""

import shutil
from pathlib import Path

import pytest

HAS_LIBREOFFICE = shutil.which("soffice") is not None
needs_libreoffice = pytest.mark.skipif(not HAS_LIBREOFFICE, reason="LibreOffice (soffice) is not on the PATH")

_FIND_OUT = 'while [ "$1" != --outdir ]; do shift; done; out=$2; source=$3\n'
_RESULT = "made.pdf"


def program(folder: Path, script: str) -> str:
    """Return a program that runs `script`, in which `$out` is the folder for the result and `$source` the file."""
    path = folder / "soffice"
    path.write_text(f"#!/bin/sh\n{_FIND_OUT}{script}\n", encoding="utf-8")
    path.chmod(0o755)
    return str(path)


def converter(folder: Path, pdf: bytes) -> str:
    """Return a program that converts every file to this PDF."""
    (folder / _RESULT).write_bytes(pdf)
    return program(folder, f'cp "$(dirname "$0")/{_RESULT}" "$out/source.pdf"')
