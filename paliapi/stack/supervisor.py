"""Keeps the children running: starts them, starts them again when they crash, stops them in order."""

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
from paliapi.stack.home import Home
from paliapi.stack.logs import Log
from paliapi.stack.trouble import Trouble, in_words
from paliapi.stack.warden import Warden

_TICK_S = 0.1
_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 30.0
# Who ran this long had a good start; the next crash is a new story.
_GOOD_RUN_S = 60.0
# While the stack starts, a child that crashes again and again has no chance.
_MOST_STARTS = 3


class StopRequested(Exception):
    """Somebody wants the stack to end: Ctrl-C or SIGTERM."""


@dataclass(kw_only=True)
class Service:
    """A child that should always run. Services of a higher `floor` lean on the lower ones, and stop first."""

    name: str
    floor: int
    stop_within_s: float
    command: Callable[[], Command]
    prepare: Callable[[], None] = field(default=lambda: None)
    child: Child | None = None
    starts: int = 0
    pause_s: float = _FIRST_PAUSE_S
    started_at: float = 0.0
    start_again_at: float | None = None


class Supervisor:
    """Everything happens in `tick`, in one thread; signals only leave a mark that the next tick finds."""

    def __init__(self, home: Home, console: Console) -> None:
        self._home = home
        self._console = console
        self._services: list[Service] = []
        self._logs: dict[str, Log] = {}
        self._signals: list[int] = []
        self._settled = False
        self._warden: Warden | None = None
        self._one_off: list[Child] = []
        self._handlers_before: dict[int, signal.Handlers | Callable[[int, FrameType | None], object] | int | None] = {}

    def __enter__(self) -> "Supervisor":
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            # Under nohup the loss of the terminal is ignored, and stays so.
            if signal.getsignal(number) != signal.SIG_IGN or number != signal.SIGHUP:
                self._handlers_before[number] = signal.signal(number, self._note_signal)
        ended = [name for path in self._home.lists_of_children() for name in leftovers.end_all(path)]
        if ended:
            self._console.say(f"An earlier start was cut off; ended what it left running: {', '.join(ended)}.")
        self._warden = Warden(self._home.children)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop_all()
        self._home.children.unlink(missing_ok=True)
        if self._warden:
            self._warden.dismiss()
        for number, handler in self._handlers_before.items():
            signal.signal(number, handler)

    def add(self, service: Service) -> None:
        """Start a service and keep it running from now on."""
        self._services.append(service)
        self._start(service)

    def settle(self) -> None:
        """The stack is up: from now on a crash is survived, however often it comes."""
        self._settled = True

    def wait_for(self, name: str, ready: Callable[[], bool], *, within_s: float) -> None:
        """Tick until the service is ready; Trouble if that does not happen in time."""
        deadline = time.monotonic() + within_s
        while not ready():
            self.tick()
            if time.monotonic() >= deadline:
                reasons = [
                    service.child.reason() for service in self._services if service.name == name and service.child
                ]
                raise Trouble(": ".join([f"{name} was not ready within {within_s:.0f} s", *reasons]))

    def run_once(self, command: Command, *, within_s: float) -> str:
        """Run a command to its end, and answer what it printed; Trouble if it fails.

        The answer may be a secret, so it goes to a file without a name and not to the log.
        """
        with tempfile.TemporaryFile(dir=self._home.run) as answer:
            child = Child(command, log=self._home.logs / f"{command.name}.log", answer=answer)
            self._see_through(child, within_s=within_s)
            answer.seek(0)
            return answer.read().decode(errors="replace")

    def _see_through(self, child: Child, *, within_s: float) -> None:
        self._one_off.append(child)
        self._write_down()
        deadline = time.monotonic() + within_s
        while (code := child.exit_code()) is None:
            self.tick()
            if time.monotonic() >= deadline:
                raise Trouble(f"{child.name} took longer than {within_s:.0f} s: {child.reason()}")
        self._one_off.remove(child)
        self._write_down()
        if code != 0:
            raise Trouble(f"{child.name} failed: {child.reason()}")

    def watch(self) -> None:
        """Keep everything running until somebody asks to stop."""
        with suppress(StopRequested):
            while True:
                self.tick()

    def tick(self) -> None:
        """One look at everything."""
        if self._signals:
            raise StopRequested
        self._pass_words_on()
        for service in self._services:
            self._look_after(service)
        time.sleep(_TICK_S)

    def _look_after(self, service: Service) -> None:
        if service.start_again_at is not None:
            if time.monotonic() >= service.start_again_at:
                self._start(service)
            return
        child = service.child
        code = child.exit_code() if child else None
        if child is None or code is None:
            return
        if not self._settled and service.starts >= _MOST_STARTS:
            raise Trouble(f"{service.name} does not start: {child.reason()}")
        if time.monotonic() - service.started_at > _GOOD_RUN_S:
            service.pause_s = _FIRST_PAUSE_S
        self._try_later(service, f"{service.name} stopped by itself ({_meaning(code)}): {child.reason()}.")

    def _start(self, service: Service) -> None:
        service.start_again_at = None
        service.starts += 1
        service.started_at = time.monotonic()
        path = self._home.logs / f"{service.name}.log"
        log = self._logs.setdefault(service.name, Log(path))
        log.shorten()
        try:
            service.prepare()
            service.child = Child(service.command(), log=path)
        except Trouble as trouble:
            if not self._settled:
                raise
            self._try_later(service, f"{service.name} cannot be started: {trouble}")
        self._write_down()

    def _try_later(self, service: Service, why: str) -> None:
        service.start_again_at = time.monotonic() + service.pause_s
        self._console.say(f"{why} Trying again in {service.pause_s:g} s.")
        service.pause_s = min(service.pause_s * 2, _LONGEST_PAUSE_S)

    def _write_down(self) -> None:
        running = [service.child for service in self._services if service.child] + self._one_off
        records = [
            leftovers.Record(child.name, child.pid, child.started, child.command.stop_signal) for child in running
        ]
        try:
            leftovers.write(self._home.children, records)
        except OSError as problem:
            self._console.say(
                f"The list of running parts could not be written. {in_words(problem, place=self._home.run)}"
            )

    def _pass_words_on(self) -> None:
        for name, log in self._logs.items():
            for line in log.new_lines():
                self._console.pass_on(name, line)
            log.shorten()

    def _note_signal(self, number: int, _frame: FrameType | None) -> None:
        self._signals.append(number)

    def _stop_all(self) -> None:
        """Floor by floor from the top; a second signal makes it short."""
        asked = len(self._signals)
        self._end(self._one_off, within_s=1.0, asked=asked)
        for floor in sorted({service.floor for service in self._services}, reverse=True):
            services = [service for service in self._services if service.floor == floor]
            children = [service.child for service in services if service.child]
            self._end(children, within_s=max(service.stop_within_s for service in services), asked=asked)
        self._pass_words_on()

    def _end(self, children: Sequence[Child], *, within_s: float, asked: int) -> None:
        for child in children:
            child.ask_to_stop()
        processes.wait_until(
            lambda: len(self._signals) > asked or all(child.exit_code() is not None for child in children),
            within_s=within_s,
        )
        for child in children:
            if child.exit_code() is None:
                self._console.say(f"{child.name} did not stop in time and was killed.")
            child.kill()


def _meaning(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    with suppress(ValueError):
        return f"signal {signal.Signals(-code).name}"
    return f"signal {-code}"
