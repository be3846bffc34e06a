"""The module that the rendering process imports."""

import subprocess
import sys


def test_import_loads_no_other_package() -> None:
    check = "import sys, embeddings.word; assert not {'numpy', 'httpx', 'starlette', 'PIL'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", check], check=True)
