"""From nothing to ready: the order in which the stack comes up, and its end."""

import http.client
import json
import os
import sys
from collections.abc import Callable
from urllib.parse import urlsplit

from paliapi.env import ROOT
from paliapi.env_setting import EnvError
from paliapi.env_sources import home_path, process_environ, user_variables
from paliapi.stack import members, welcome
from paliapi.stack import plan as plans
from paliapi.stack.console import Console
from paliapi.stack.home import Home, only_one, open_home
from paliapi.stack.listen import listen
from paliapi.stack.plan import Plan
from paliapi.stack.supervisor import Service, StopRequested, Supervisor
from paliapi.stack.trouble import Trouble, in_words
from paliapi.stack.welcome import FirstAdmin

_RECOVERY_S = 600.0
_READY_S = 120.0


def run(*, everything: bool) -> int:
    """Run the stack until somebody stops it; the exit code. What keeps it from running is said in one sentence."""
    console = Console(everything=everything)
    os.umask(0o077)
    given = user_variables(process_environ(), root=ROOT)
    path = home_path(given, root=ROOT)
    try:
        home = open_home(path)
        with only_one(home):
            _run(home, plans.make(home, given), console)
    except (Trouble, EnvError) as trouble:
        print(f"PaliAPI cannot run. {trouble}", file=sys.stderr)  # noqa: T201 - this is the last word
        return 1
    except OSError as problem:
        print(f"PaliAPI cannot run. {in_words(problem, place=path)}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


def _run(home: Home, plan: Plan, console: Console) -> None:
    with listen(plan.env.host, plan.env.port) as door, Supervisor(home, console) as supervisor:
        try:
            first_admin = _Start(home, plan, console, supervisor).all(members.of_web(home, plan, door))
            console.show(welcome.text(plan.env, first_admin))
            supervisor.settle()
            supervisor.watch()
        except StopRequested:
            pass
        console.say("Stopping. Once more Ctrl-C hurries it.")
    home.forget_short_names()
    home.forget_metrics()
    console.say("Stopped.")


class _Start:
    """One start, step by step."""

    def __init__(self, home: Home, plan: Plan, console: Console, supervisor: Supervisor) -> None:
        self._home = home
        self._plan = plan
        self._console = console
        self._supervisor = supervisor

    def all(self, web: Service) -> FirstAdmin | None:
        self._home.renew_metrics()
        self._data()
        if self._plan.embeddings_port:
            self._supervisor.add(members.of_embeddings(self._home, self._plan))
        self._manage("migrate", "--noinput", doing="Bringing the tables up to date")
        self._supervisor.add(members.of_worker(self._home, self._plan))
        self._supervisor.add(members.of_courier(self._home, self._plan))
        self._supervisor.add(members.of_beat(self._home, self._plan))
        self._supervisor.add(web)
        if self._plan.embeddings_port:
            self._wait("embeddings", self._embeddings_answer)
        self._wait("web", self._web_answers)
        # Last, because what it tells is told only once.
        return self._first_admin()

    def _data(self) -> None:
        postgres, redis = self._plan.postgres, self._plan.redis
        if postgres:
            self._console.say("Starting Postgres" if postgres.data.exists() else "Making a Postgres database")
            self._supervisor.add(members.of_postgres(postgres))
        if redis:
            self._supervisor.add(members.of_redis(redis))
            self._wait("redis", redis.answers, within_s=_RECOVERY_S)
        if postgres:
            # After a power cut it may have a lot to read again.
            self._wait("postgres", postgres.answers, within_s=_RECOVERY_S)
            postgres.furnish(self._plan.passwords)

    def _first_admin(self) -> FirstAdmin | None:
        told = json.loads(self._manage("first_admin", "--json", doing="Looking for the first user").splitlines()[-1])
        return FirstAdmin(**told) if told else None

    def _manage(self, name: str, *words: str, doing: str) -> str:
        self._console.say(doing)
        command = members.python(self._home, self._plan, name, "manage.py", name, *words)
        return self._supervisor.run_once(command, within_s=_RECOVERY_S)

    def _wait(self, name: str, ready: Callable[[], bool], *, within_s: float = _READY_S) -> None:
        self._supervisor.wait_for(name, ready, within_s=within_s)
        self._console.say(f"{name} is ready")

    def _embeddings_answer(self) -> bool:
        return _status(f"http://127.0.0.1:{self._plan.embeddings_port}/ready") == http.client.OK

    def _web_answers(self) -> bool:
        listens = self._plan.env.host
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(listens, listens)  # noqa: S104 - compared, not bound
        address = f"[{host}]" if ":" in host else host
        allowed = self._plan.env.allowed_hosts[0].lstrip(".")
        name = "localhost" if allowed == "*" else allowed
        return _status(f"http://{address}:{self._plan.env.port}/readyz", host=name) == http.client.OK


def _status(url: str, *, host: str | None = None) -> int:
    """The status of a GET, 0 if there is no answer."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=5)
    try:
        connection.request("GET", parts.path, headers={"Host": host} if host else {})
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()
