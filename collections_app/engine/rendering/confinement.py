"""The walls around the processes that open uploads; run as a program, it tries them and prints which of them stand."""

import json
import subprocess
import sys
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Self

from collections_app.engine.rendering.errors import SandboxIncomplete
from sandbox import calls, limits, privileges
from sandbox.walls import Walls, confine, leave_network

_ROOT = Path(__file__).resolve().parents[3]
# Read while a page is rendered, unlike Python and its libraries, which are loaded by then.
_FONTS = tuple(map(Path, ("/usr/share/fonts", "/usr/local/share/fonts", "/usr/share/X11/fonts")))
# What programs consist of. Folders of whole installations, such as /opt and /usr/local, may hold data as well.
_PROGRAMS = (
    *("/bin", "/sbin", "/lib", "/lib64", "/usr/bin", "/usr/sbin", "/usr/lib", "/usr/lib64", "/usr/libexec"),
    *("/usr/share", "/usr/local/bin", "/usr/local/lib", "/usr/local/share/fonts"),
    *("/etc/fonts", "/etc/libreoffice", "/etc/alternatives", "/etc/ld.so.cache"),
    "/var/spool/libreoffice",  # Debian's list of shared extensions, without which LibreOffice does not start
)
_DEVICES = tuple(map(Path, ("/dev/null", "/dev/zero", "/dev/random", "/dev/urandom")))


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A program that opens an upload, and what it may use."""

    path: str
    folder: str  # the only one that it may write to
    memory_mb: int
    cpu_s: int
    file_mb: int
    bubblewrap: tuple[str, ...] = ()  # the command that puts up most of the walls, where it works
    sandbox_required: bool = False

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        return cls(**json.loads(text))

    def visible(self) -> tuple[str, ...]:
        """Return the files and folders that the program consists of."""
        folder = Path(self.path).parent
        return *_PROGRAMS, str(folder.parent if folder.name == "program" else folder)


def prepare() -> bool:
    """Do in advance what is the same for every process that this one forks; return whether it left the network.

    A network namespace of its own would take each process longer than all other walls together.
    """
    calls.computing().program()
    privileges.spare_user()
    return leave_network()


def confine_renderer(*, memory_mb: int, cpu_s: int, network_left: bool = False) -> Walls:
    """Confine this process to computing with what it has imported, its open files and the fonts of the machine."""
    limits.limit_files(size_mb=0, count=64)
    limits.limit_work(memory_mb=memory_mb, cpu_s=cpu_s)
    walls = confine(calls=calls.computing(), readable=_FONTS, end_with_parent=True, network_left=network_left)
    if not walls.calls:
        limits.forbid_processes()
    return walls


def confine_program(program: Program) -> Walls:
    """Confine this process to running the program."""
    return confine(
        calls=calls.programs(may_listen=False),
        readable=_DEVICES,
        executable=map(Path, program.visible()),
        writable=(Path(program.folder), Path("/dev/null")),
    )


@cache
def standing_walls() -> Walls:
    """Return the walls around a rendering process on this machine, as a process of its own has tried them."""
    command = [sys.executable, "-B", "-m", __name__]
    done = subprocess.run(command, cwd=_ROOT, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=60)
    try:
        return Walls(**json.loads(done.stdout))
    except (ValueError, TypeError):
        return Walls(network=False, files=False, calls=False, user=False)


def require_walls() -> None:
    """Raise SandboxIncomplete unless all walls stand on this machine."""
    if standing_walls().missing():
        standing_walls.cache_clear()
    if missing := standing_walls().missing():
        raise SandboxIncomplete(f"{SandboxIncomplete.title} Missing: {', '.join(missing)}.")


if __name__ == "__main__":
    sys.stdout.write(json.dumps(confine_renderer(memory_mb=1024, cpu_s=60).to_dict()))
