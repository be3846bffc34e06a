"""Compiled kernels are cached where the process can write."""

import subprocess
import sys
from pathlib import Path

from paliapi.env import ROOT
from tests.environment import measured


def test_cache_goes_to_a_private_folder_if_the_sources_are_read_only(tmp_path: Path) -> None:
    """As in an image whose files belong to another user."""
    code = (
        "import os, numba, tempfile; from pathlib import Path; from unittest import mock\n"
        "with mock.patch.object(os, 'access', return_value=False):\n"
        "    from collections_app.engine.retrieval.kernels import jit\n"
        "print(numba.config.CACHE_DIR)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={"TMPDIR": str(tmp_path), **measured()},
        capture_output=True,
        text=True,
        check=True,
    )
    folder = Path(result.stdout.strip())
    assert folder.parent == tmp_path
    assert folder.stat().st_mode & 0o077 == 0
