"""Supervising children and stopping them in order."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from paliapi.stack import leftovers, processes
from paliapi.stack.child import Command
from paliapi.stack.console import Console
from paliapi.stack.errors import StackError
from paliapi.stack.home import Home
from paliapi.stack.supervisor import Service, StopRequested, Supervisor

ROOT = Path(__file__).parents[3]
OBEYS = "import signal; print('up', flush=True); signal.pause()"
STUBBORN = "import signal; signal.signal(15, signal.SIG_IGN); print('up', flush=True)\nwhile True: signal.pause()"
# A leader with a child that ignores the end of its leader.
FAMILY = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {STUBBORN!r}]); {OBEYS}"

# Ignores the stop signal, and sends the second Ctrl-C itself.
_ASKS_FOR_HURRY = """
import os, signal
signal.signal(15, lambda *_: os.kill(os.getppid(), signal.SIGINT))
print("up", flush=True)
while True: signal.pause()
"""


def _service(home: Home, name: str, program: str, *, tier: int = 0, stop_within_s: float = 5) -> Service:
    command = Command(name=name, argv=(sys.executable, "-c", program), environ={}, cwd=home.path)
    return Service(name=name, tier=tier, stop_within_s=stop_within_s, command=lambda: command)


def _up(home: Home, name: str, times: int = 1) -> Callable[[], bool]:
    log = home.logs / f"{name}.log"
    return lambda: log.is_file() and log.read_text().count("up\n") >= times


def test_crashed_child_is_restarted_and_reported(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    with Supervisor(home, Console()) as supervisor:
        service = _service(home, "web", OBEYS)
        supervisor.add(service)
        supervisor.wait_for("web", _up(home, "web"), within_s=20)
        supervisor.mark_up()
        assert service.child
        first = service.child.pid
        os.kill(first, signal.SIGKILL)
        supervisor.wait_for("web", _up(home, "web", times=2), within_s=20)
        assert service.child.pid != first
    assert "web stopped by itself (signal SIGKILL): " in capsys.readouterr().out


def test_pause_before_a_restart_grows(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    with Supervisor(home, Console()) as supervisor:
        supervisor.mark_up()
        service = _service(home, "worker", "raise SystemExit('ERROR: no luck')")
        supervisor.add(service)
        supervisor.wait_for("worker", lambda: service.starts == 3, within_s=20)
    output = capsys.readouterr().out
    assert "worker stopped by itself (exit code 1): ERROR: no luck (see " in output
    assert "Trying again in 0.5 s." in output
    assert "Trying again in 1 s." in output


def test_failed_restart_is_tried_later(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    def fail_once() -> None:
        if service.starts == 2:
            raise StackError("The disk is full.")

    with Supervisor(home, Console()) as supervisor:
        service = _service(home, "web", OBEYS)
        service.prepare = fail_once
        supervisor.add(service)
        supervisor.wait_for("web", _up(home, "web"), within_s=20)
        supervisor.mark_up()
        assert service.child
        os.kill(service.child.pid, signal.SIGKILL)
        supervisor.wait_for("web", _up(home, "web", times=2), within_s=20)
    assert "web cannot be started: The disk is full. Trying again in 1 s." in capsys.readouterr().out


def test_child_that_keeps_crashing_fails_the_start_with_its_log_line(home: Home) -> None:
    with Supervisor(home, Console()) as supervisor:
        supervisor.add(_service(home, "web", "raise SystemExit('Error: no such module')"))
        with pytest.raises(StackError, match=r"web does not start: Error: no such module \(see .*web\.log\)"):
            supervisor.wait_for("web", lambda: False, within_s=20)


def test_service_that_is_not_ready_in_time_is_named(home: Home) -> None:
    with Supervisor(home, Console()) as supervisor:
        supervisor.add(_service(home, "web", OBEYS))
        with pytest.raises(StackError, match="web was not ready within 0 s"):
            supervisor.wait_for("web", lambda: False, within_s=0)


def test_child_that_does_not_stop_in_time_is_killed(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    with Supervisor(home, Console()) as supervisor:
        service = _service(home, "web", STUBBORN, stop_within_s=0.2)
        supervisor.add(service)
        supervisor.wait_for("web", _up(home, "web"), within_s=20)
        assert service.child
    assert service.child.exit_code() == -signal.SIGKILL
    assert "web did not stop in time and was killed." in capsys.readouterr().out


def test_second_signal_forces_the_end(home: Home) -> None:
    with Supervisor(home, Console()) as supervisor:
        service = _service(home, "web", _ASKS_FOR_HURRY, stop_within_s=3600)
        supervisor.add(service)
        supervisor.wait_for("web", _up(home, "web"), within_s=20)
        assert service.child
    assert service.child.exit_code() == -signal.SIGKILL


def test_higher_tier_stops_first(home: Home) -> None:
    farewell = (
        "import signal, time\nsignal.signal(15, lambda *_: (print(time.monotonic()), exit(0)))\nprint('up', flush=True)"
    )
    with Supervisor(home, Console()) as supervisor:
        for tier, name in enumerate(("postgres", "web")):
            supervisor.add(_service(home, name, f"{farewell}\nwhile True: signal.pause()", tier=tier))
            supervisor.wait_for(name, _up(home, name), within_s=20)
    ended = {name: float((home.logs / f"{name}.log").read_text().splitlines()[-1]) for name in ("postgres", "web")}
    assert ended["web"] < ended["postgres"]


def test_grandchildren_end_too(home: Home) -> None:
    with Supervisor(home, Console()) as supervisor:
        service = _service(home, "worker", FAMILY)
        supervisor.add(service)
        supervisor.wait_for("worker", _up(home, "worker", times=2), within_s=20)
        assert service.child
        leader = service.child.pid
    assert processes.wait_until(lambda: not _group_is_there(leader), within_s=10)


def test_signal_requests_a_stop(home: Home) -> None:
    with Supervisor(home, Console()) as supervisor:
        supervisor.add(_service(home, "web", OBEYS))
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(StopRequested):
            supervisor.wait_for("web", lambda: False, within_s=20)


def test_output_of_a_command_is_returned(home: Home) -> None:
    with Supervisor(home, Console()) as supervisor:
        command = Command(name="ask", argv=(sys.executable, "-c", "print('an answer')"), environ={}, cwd=home.path)
        assert supervisor.run_once(command, within_s=20) == "an answer\n"


def test_failed_command_is_reported_with_its_log_line(home: Home) -> None:
    with Supervisor(home, Console()) as supervisor:
        program = "raise SystemExit('FATAL: no such table')"
        command = Command(name="migrate", argv=(sys.executable, "-c", program), environ={}, cwd=home.path)
        with pytest.raises(StackError, match=r"migrate failed: FATAL: no such table \(see .*migrate\.log\)"):
            supervisor.run_once(command, within_s=20)


def test_children_and_grandchildren_end_when_the_stack_is_killed(home: Home) -> None:
    parent = subprocess.Popen([sys.executable, "-c", _STACK_OF_ONE, str(home.path), FAMILY], cwd=ROOT)
    assert processes.wait_until(_up(home, "worker", times=2), within_s=20)
    [leader] = [record.pid for path in home.children_lists() for record in leftovers.read(path)]
    parent.kill()
    parent.wait()
    assert processes.wait_until(lambda: not _group_is_there(leader), within_s=20)
    assert processes.wait_until(lambda: not home.children_lists(), within_s=20)


def test_processes_that_outlived_the_watchdog_are_ended_by_the_next_start(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    command = _service(home, "web", OBEYS).command()
    forgotten = subprocess.Popen(command.argv, start_new_session=True)
    record = leftovers.Record("web", forgotten.pid, processes.started_at(forgotten.pid) or 0, signal.SIGTERM)
    leftovers.write(home.run / "children-1.json", [record])
    with Supervisor(home, Console()):
        assert forgotten.wait(timeout=20) == -signal.SIGTERM
    assert "An earlier start was killed; stopped the processes it left running: web." in capsys.readouterr().out


def test_process_with_a_reused_id_is_not_ended(home: Home) -> None:
    with subprocess.Popen([sys.executable, "-c", OBEYS]) as innocent:
        leftovers.write(home.run / "children-1.json", [leftovers.Record("web", innocent.pid, 12345.0, signal.SIGKILL)])
        with Supervisor(home, Console()):
            assert innocent.poll() is None
        innocent.kill()


@pytest.mark.parametrize("text", ["", "{", "[1]", json.dumps([{"name": "web"}])])
def test_truncated_list_is_ignored(home: Home, text: str) -> None:
    path = home.run / "children-1.json"
    path.write_text(text)
    assert leftovers.end_processes(path) == []
    assert not path.exists()


_STACK_OF_ONE = """
import pathlib, sys
from paliapi.stack.child import Command
from paliapi.stack.console import Console
from paliapi.stack.home import Home
from paliapi.stack.supervisor import Service, Supervisor
home = Home(pathlib.Path(sys.argv[1]))
command = Command(name="worker", argv=(sys.executable, "-c", sys.argv[2]), environ={}, cwd=home.path)
with Supervisor(home, Console()) as supervisor:
    supervisor.add(Service(name="worker", tier=0, stop_within_s=5, command=lambda: command))
    supervisor.watch()
"""


def _group_is_there(leader: int) -> bool:
    """Check whether any process of the group runs; a zombie does not count."""
    answer = subprocess.run(["/bin/ps", "-e", "-o", "pgid=,stat="], capture_output=True, text=True, check=True)
    rows = [line.split() for line in answer.stdout.splitlines()]
    return any(int(group) == leader and not state.startswith("Z") for group, state in rows)
