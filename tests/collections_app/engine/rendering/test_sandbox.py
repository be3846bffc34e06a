import json
import socket
import subprocess
import sys
import textwrap
from pathlib import Path

ROOT = Path(__file__).resolve().parents[4]


def confined(code: str, *arguments: str, memory_mb: int = 512, cpu_s: int = 20) -> subprocess.CompletedProcess[str]:
    """Run code in a process that has confined itself; `offline` is the result of `confine`."""
    prelude = (
        f"from collections_app.engine.rendering.sandbox import confine\noffline = confine({memory_mb=}, {cpu_s=})\n"
    )
    command = [sys.executable, "-c", prelude + textwrap.dedent(code), *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)


def test_memory_is_limited() -> None:
    done = confined("try:\n    bytearray(600 * 2**20)\nexcept MemoryError:\n    print('refused')")
    assert done.stdout == "refused\n"


def test_cpu_time_ends_with_sigxcpu() -> None:
    assert confined("while True: pass", cpu_s=1).returncode == -24


def test_files_cannot_be_written(tmp_path: Path) -> None:
    file = tmp_path / "file"
    done = confined("import sys\nwith open(sys.argv[1], 'w') as file:\n    file.write('x')", str(file))
    assert "File too large" in done.stderr
    assert file.read_text() == ""


def test_the_network_is_cut_off_if_the_kernel_allows_it() -> None:
    code = """
        import json, socket, sys
        try:
            socket.create_connection(("127.0.0.1", int(sys.argv[1])), 5).close()
            reached = True
        except OSError:
            reached = False
        print(json.dumps([offline, reached]))
    """
    with socket.create_server(("127.0.0.1", 0)) as listener:
        offline, reached = json.loads(confined(code, str(listener.getsockname()[1])).stdout)
    assert reached is not offline
