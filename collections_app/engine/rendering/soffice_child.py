"""The process that becomes LibreOffice: `python -m ...rendering.soffice_child LIMITS PROGRAM ARGUMENT ...`.

It sets limits that the program cannot raise and that all its child processes inherit.
"""

import json
import os
import sys

from collections_app.engine.rendering.sandbox import leave_network, limit_files, limit_work


def main(limits: dict[str, int], command: list[str]) -> None:
    if limits["leave_network"]:
        leave_network()
    limit_files(size_mb=limits["file_mb"])
    limit_work(memory_mb=limits["memory_mb"], cpu_s=limits["cpu_s"])
    os.execv(command[0], command)  # noqa: S606 - a program by its full path, without a shell


if __name__ == "__main__":
    main(json.loads(sys.argv[1]), sys.argv[2:])
