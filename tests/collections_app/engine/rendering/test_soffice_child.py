"""The process that becomes LibreOffice, with another program in its place."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from collections_app.engine.rendering.confinement import Program
from collections_app.engine.rendering.soffice import _bubblewrap, _sandbox_command

ROOT = Path(__file__).resolve().parents[4]
SHELL = str(Path("/bin/sh").resolve())


@pytest.fixture(params=["Landlock", "bubblewrap"])
def confined(request: pytest.FixtureRequest, public_path: Path) -> Program:
    """Return a shell that may write to one folder."""
    folder = public_path / "own"
    (folder / "tmp").mkdir(parents=True)
    folder.chmod(0o777)
    shell = Program(path=SHELL, folder=str(folder), memory_mb=512, cpu_s=20, file_mb=1)
    if request.param == "Landlock":
        return shell
    if (bubblewrap := _bubblewrap()) is None:
        pytest.skip("bubblewrap does not work here")
    return replace(shell, bubblewrap=_sandbox_command(bubblewrap, shell))


def run(program: Program, script: str) -> subprocess.CompletedProcess[str]:
    module = "collections_app.engine.rendering.soffice_child"
    command = [sys.executable, "-B", "-m", module, program.to_json(), "-c", script]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60, env={"PATH": os.defpath}
    )


def own_folder(program: Program) -> str:
    return "/work" if program.bubblewrap else program.folder


def test_the_process_becomes_the_program(confined: Program) -> None:
    assert run(confined, "echo ready").stdout == "ready\n"


def test_the_program_and_its_children_inherit_the_limits(confined: Program) -> None:
    assert run(confined, "ulimit -v; sh -c 'ulimit -f'").stdout == f"{512 * 1024}\n{1024 * 2}\n"


def test_the_program_writes_to_its_own_folder_only(confined: Program, public_path: Path) -> None:
    folder = own_folder(confined)
    done = run(
        confined, f"echo x > {folder}/file && cat {folder}/file; echo x > {public_path}/file; echo x > /usr/file"
    )
    assert done.stdout == "x\n"
    assert len(done.stderr.splitlines()) == 2
    assert not (public_path / "file").exists()


def test_the_program_has_no_network_and_no_rights(confined: Program) -> None:
    families = "s.AF_UNIX, s.SOCK_DGRAM", "s.AF_INET", "s.AF_INET6", "s.AF_NETLINK"
    tries = "\n".join(f"try: s.socket({family})\nexcept OSError as e: print(e.errno)" for family in families)
    script = f"import os\nimport socket as s\nprint(os.getuid() == 0)\n{tries}"
    python = "/usr/bin/python3"
    if not Path(python).exists():
        pytest.skip("no Python outside the checkout")
    done = run(confined, f"{python} -c '{script}'")
    assert done.stdout.split() == ["False", "1", "1", "1", "1"], done.stderr


def test_the_program_cannot_leave_its_group_or_signal_others(confined: Program) -> None:
    assert run(confined, "setsid echo left").stdout == ""
    assert "not permitted" in run(confined, f"kill -0 {os.getpid()}").stderr


def test_a_missing_wall_that_is_required_ends_the_process(confined: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    if confined.bubblewrap:
        pytest.skip("bubblewrap puts up all walls or fails")
    missing_landlock = (
        "from sandbox import kernel; kernel._TABLE = kernel._TABLE.replace('landlock_restrict_self', 'x')"
    )
    code = f"{missing_landlock}\nimport sys\nfrom collections_app.engine.rendering.soffice_child import *\n"
    code += "main(Program.from_json(sys.argv[1]), ['-c', 'echo ran'])"
    for required, output in ((True, ""), (False, "ran\n")):
        command = [sys.executable, "-B", "-c", code, replace(confined, sandbox_required=required).to_json()]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
        assert done.stdout == output
        assert (done.returncode, "files" in done.stderr) == ((137, True) if required else (0, False))
