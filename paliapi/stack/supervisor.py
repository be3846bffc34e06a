"""Starting the children, restarting them when they crash, and stopping them in order."""

import signal
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from types import FrameType

from paliapi.stack import leftovers, processes
from paliapi.stack.child import Child, Command
from paliapi.stack.console import Console
from paliapi.stack.errors import StackError, describe
from paliapi.stack.home import Home
from paliapi.stack.logs import Log
from paliapi.stack.watchdog import Watchdog

_TICK_S = 0.1
_FIRST_PAUSE_S = 0.5
_MAX_PAUSE_S = 30.0
# A crash after running this long resets the pause before a restart.
_STABLE_AFTER_S = 60.0
# While the stack starts, a child that crashes this often fails the start.
_MAX_STARTS = 3


_SignalHandler = signal.Handlers | Callable[[int, FrameType | None], object] | int | None


class StopRequested(Exception):
    """The stack was asked to stop, by Ctrl-C or a signal."""


@dataclass(kw_only=True)
class Service:
    """A child to keep running. Services of a higher `tier` depend on those of lower ones, and stop first."""

    name: str
    tier: int
    stop_within_s: float
    command: Callable[[], Command]
    prepare: Callable[[], None] = field(default=lambda: None)
    child: Child | None = None
    starts: int = 0
    pause_s: float = _FIRST_PAUSE_S
    started_at: float = 0.0
    restart_at: float | None = None


class Supervisor:
    """Supervises services in `tick`, in one thread. Signals are only recorded for the next tick."""

    def __init__(self, home: Home, console: Console) -> None:
        self._home = home
        self._console = console
        self._services: list[Service] = []
        self._logs: dict[str, Log] = {}
        self._signals: list[int] = []
        self._is_up = False
        self._watchdog: Watchdog | None = None
        self._one_off: list[Child] = []
        self._previous_handlers: dict[
            int, signal.Handlers | Callable[[int, FrameType | None], object] | int | None
        ] = {}

    def __enter__(self) -> "Supervisor":
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            # Under nohup, SIGHUP is already ignored and stays so.
            if signal.getsignal(number) != signal.SIG_IGN or number != signal.SIGHUP:
                self._previous_handlers[number] = signal.signal(number, self._record_signal)
        ended = [name for path in self._home.children_lists() for name in leftovers.end_processes(path)]
        if ended:
            self._console.say(
                f"An earlier start was killed; stopped the processes it left running: {', '.join(ended)}."
            )
        self._watchdog = Watchdog(self._home.children)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop_all()
        self._home.children.unlink(missing_ok=True)
        if self._watchdog:
            self._watchdog.dismiss()
        for number, handler in self._previous_handlers.items():
            signal.signal(number, handler)

    def add(self, service: Service) -> None:
        """Start a service and keep it running from now on."""
        self._services.append(service)
        self._start(service)

    def mark_up(self) -> None:
        """Record that the stack is up: from now on, crashed services are restarted without limit."""
        self._is_up = True

    def wait_for(self, name: str, ready: Callable[[], bool], *, within_s: float) -> None:
        """Tick until the service is ready, or raise StackError on a timeout."""
        deadline = time.monotonic() + within_s
        while not ready():
            self.tick()
            if time.monotonic() >= deadline:
                reasons = [
                    service.child.reason() for service in self._services if service.name == name and service.child
                ]
                raise StackError(": ".join([f"{name} was not ready within {within_s:.0f} s", *reasons]))

    def run_once(self, command: Command, *, within_s: float) -> str:
        """Run a command to its end and return its standard output, or raise StackError if it fails.

        The output may contain secrets, so it goes to an unnamed file and not to the log.
        """
        with tempfile.TemporaryFile(dir=self._home.run) as output:
            child = Child(command, log=self._home.logs / f"{command.name}.log", output=output)
            self._run_to_end(child, within_s=within_s)
            output.seek(0)
            return output.read().decode(errors="replace")

    def _run_to_end(self, child: Child, *, within_s: float) -> None:
        self._one_off.append(child)
        self._write_children_list()
        deadline = time.monotonic() + within_s
        while (code := child.exit_code()) is None:
            self.tick()
            if time.monotonic() >= deadline:
                raise StackError(f"{child.name} took longer than {within_s:.0f} s: {child.reason()}")
        self._one_off.remove(child)
        self._write_children_list()
        if code != 0:
            raise StackError(f"{child.name} failed: {child.reason()}")

    def watch(self) -> None:
        """Keep everything running until a stop is requested."""
        with suppress(StopRequested):
            while True:
                self.tick()

    def tick(self) -> None:
        """Check signals, logs and services once."""
        if self._signals:
            raise StopRequested
        self._show_new_lines()
        for service in self._services:
            self._check_service(service)
        time.sleep(_TICK_S)

    def _check_service(self, service: Service) -> None:
        if service.restart_at is not None:
            if time.monotonic() >= service.restart_at:
                self._start(service)
            return
        child = service.child
        code = child.exit_code() if child else None
        if child is None or code is None:
            return
        if not self._is_up and service.starts >= _MAX_STARTS:
            raise StackError(f"{service.name} does not start: {child.reason()}")
        if time.monotonic() - service.started_at > _STABLE_AFTER_S:
            service.pause_s = _FIRST_PAUSE_S
        self._restart_later(service, f"{service.name} stopped by itself ({_describe_exit(code)}): {child.reason()}.")

    def _start(self, service: Service) -> None:
        service.restart_at = None
        service.starts += 1
        service.started_at = time.monotonic()
        path = self._home.logs / f"{service.name}.log"
        log = self._logs.setdefault(service.name, Log(path))
        log.rotate()
        try:
            service.prepare()
            service.child = Child(service.command(), log=path)
        except StackError as error:
            if not self._is_up:
                raise
            self._restart_later(service, f"{service.name} cannot be started: {error}")
        self._write_children_list()

    def _restart_later(self, service: Service, why: str) -> None:
        service.restart_at = time.monotonic() + service.pause_s
        self._console.say(f"{why} Trying again in {service.pause_s:g} s.")
        service.pause_s = min(service.pause_s * 2, _MAX_PAUSE_S)

    def _write_children_list(self) -> None:
        running = [service.child for service in self._services if service.child] + self._one_off
        records = [
            leftovers.Record(child.name, child.pid, child.started, child.command.stop_signal) for child in running
        ]
        try:
            leftovers.write(self._home.children, records)
        except OSError as problem:
            self._console.say(
                f"The list of running processes could not be written. {describe(problem, path=self._home.run)}"
            )

    def _show_new_lines(self) -> None:
        for name, log in self._logs.items():
            for line in log.new_lines():
                self._console.show_line(name, line)
            log.rotate()

    def _record_signal(self, number: int, _frame: FrameType | None) -> None:
        self._signals.append(number)

    def _stop_all(self) -> None:
        """Stop all services, the highest tier first; a further signal ends the waiting."""
        before = len(self._signals)
        self._end(self._one_off, within_s=1.0, signals_before=before)
        for tier in sorted({service.tier for service in self._services}, reverse=True):
            services = [service for service in self._services if service.tier == tier]
            children = [service.child for service in services if service.child]
            self._end(children, within_s=max(service.stop_within_s for service in services), signals_before=before)
        self._show_new_lines()

    def _end(self, children: Sequence[Child], *, within_s: float, signals_before: int) -> None:
        for child in children:
            child.request_stop()
        processes.wait_until(
            lambda: len(self._signals) > signals_before or all(child.exit_code() is not None for child in children),
            within_s=within_s,
        )
        for child in children:
            if child.exit_code() is None:
                self._console.say(f"{child.name} did not stop in time and was killed.")
            child.kill()


def _describe_exit(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    with suppress(ValueError):
        return f"signal {signal.Signals(-code).name}"
    return f"signal {-code}"
