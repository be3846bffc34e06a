import subprocess
from pathlib import Path

from tests.sandbox.confined import run

IMPORT = "from sandbox import limits\n"


def limited(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run(IMPORT + code, *arguments)


def test_memory_is_limited() -> None:
    code = """
limits.limit_work(memory_mb=512, cpu_s=20)
try:
    bytearray(600 * 2**20)
except MemoryError:
    print("refused")
"""
    assert limited(code).stdout == "refused\n"


def test_cpu_time_ends_with_sigxcpu() -> None:
    assert limited("limits.limit_work(memory_mb=512, cpu_s=1)\nwhile True: pass").returncode == -24


def test_the_size_of_files_is_limited(tmp_path: Path) -> None:
    file = tmp_path / "file"
    done = limited("limits.limit_files(size_mb=0, count=64)\nPath(sys.argv[1]).write_text('x')", str(file))
    assert "File too large" in done.stderr
    assert file.read_text() == ""


def test_the_number_of_open_files_is_limited() -> None:
    done = limited("limits.limit_files(size_mb=0, count=16)\nkept = [open('/dev/null') for _ in range(20)]")
    assert "Too many open files" in done.stderr


def test_processes_are_forbidden_to_a_plain_user() -> None:
    done = run(f"{IMPORT}limits.forbid_processes()\nos.fork()", user=64_321)
    assert "BlockingIOError" in done.stderr
