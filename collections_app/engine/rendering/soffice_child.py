"""The process that becomes LibreOffice: `python -m ...rendering.soffice_child PROGRAM ARGUMENT ...`.

It puts up walls and limits that LibreOffice cannot remove and that all its child processes inherit. Where bubblewrap
works, no other process and no other path is visible; elsewhere, Landlock refuses to open them.
"""

import os
import sys

from collections_app.engine.rendering.confinement import Program, confine_program
from sandbox import calls, limits, privileges

_NOT_CONFINED = 137  # as a shell reports a process that was killed: no fault of the file


def main(program: Program, arguments: list[str]) -> None:
    limits.limit_files(size_mb=program.file_mb, count=512)
    limits.limit_work(memory_mb=program.memory_mb, cpu_s=program.cpu_s)
    command = [program.path, *arguments]
    if program.bubblewrap:
        privileges.change_user()
        command = [*_with_filter(program.bubblewrap), *command]
    elif (missing := confine_program(program).missing()) and program.sandbox_required:
        sys.stderr.write(f"Walls are missing: {', '.join(missing)}.\n")
        sys.exit(_NOT_CONFINED)
    os.execv(command[0], command)  # noqa: S606 - a program by its full path, without a shell


def _with_filter(bubblewrap: tuple[str, ...]) -> tuple[str, ...]:
    """Return the command that also filters system calls; bubblewrap reads the filter from a descriptor."""
    program, *options = bubblewrap
    filter_file = os.memfd_create("filter", 0)
    os.write(filter_file, calls.programs(may_listen=True).program())
    os.lseek(filter_file, 0, os.SEEK_SET)
    os.set_inheritable(filter_file, True)  # noqa: FBT003 - the only form
    return program, "--seccomp", str(filter_file), *options


if __name__ == "__main__":
    main(Program.from_json(sys.argv[1]), sys.argv[2:])
