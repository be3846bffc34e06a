"""Processors that stay awake while something is measured.

A processor with nothing to do falls asleep, and that of a virtual machine is given to others meanwhile. Waking it takes
from some microseconds to a millisecond, each time that one process waits for another; whoever asks a server one thing
after the other measures that more than the server. With traffic processors hardly sleep. So while figures are taken,
each processor has something to do that gives way to everything else at once.

The most important figures are also taken as the machine is left to itself, and stand beside the others.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_FOR_EVER = """
import os, sys
os.sched_setaffinity(0, {int(sys.argv[1])})
os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
while os.getppid() == int(sys.argv[2]):
    for _ in range(10**6):
        pass
"""


@contextmanager
def awake() -> Iterator[None]:
    """While the block runs, and on Linux: elsewhere nothing can run for nothing without taking time from others."""
    processors = os.sched_getaffinity(0) if hasattr(os, "SCHED_IDLE") else ()
    busy = [
        subprocess.Popen([sys.executable, "-S", "-c", _FOR_EVER, str(number), str(os.getpid())])
        for number in processors
    ]
    try:
        yield
    finally:
        for one in busy:
            one.kill()
        for one in busy:
            one.wait()
