import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[4]
LIMITS = {"leave_network": False, "memory_mb": 512, "cpu_s": 20, "file_mb": 1}


def run(code: str, **limits: int) -> subprocess.CompletedProcess[str]:
    """Run Python code in the place of LibreOffice."""
    module = "collections_app.engine.rendering.soffice_child"
    command = [sys.executable, "-B", "-m", module, json.dumps({**LIMITS, **limits}), sys.executable, "-c", code]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)


def test_the_process_becomes_the_program() -> None:
    assert run("print('ready')").stdout == "ready\n"


def test_the_program_and_its_children_inherit_the_limits() -> None:
    code = "import resource as r; print(r.getrlimit(r.RLIMIT_AS)[1] >> 20, r.getrlimit(r.RLIMIT_FSIZE)[1] >> 20)"
    nested = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {code!r}], check=True)"
    assert run(code).stdout == run(nested).stdout == "512 1\n"


@pytest.mark.parametrize("leave", [False, True])
def test_the_network_is_left_on_request(leave: bool) -> None:
    code = "import os; print(os.readlink('/proc/self/ns/net'))"
    own = (Path("/proc/self/ns/net")).readlink()
    done = run(code, leave_network=leave)
    assert done.returncode == 0
    if not leave:
        assert done.stdout.strip() == str(own)
