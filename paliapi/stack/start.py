"""Starting and stopping the stack, in order."""

import http.client
import json
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from urllib.parse import urlsplit

from paliapi import derived_settings
from paliapi.configuration.setting import EnvError
from paliapi.configuration.sources import home_path, process_environ, user_variables
from paliapi.env import ROOT
from paliapi.stack import members, welcome
from paliapi.stack import plan as plans
from paliapi.stack.console import Console
from paliapi.stack.errors import StackError, describe
from paliapi.stack.home import Home, lock_home, open_home
from paliapi.stack.listen import listen
from paliapi.stack.plan import Plan
from paliapi.stack.supervisor import Service, StopRequested, Supervisor
from paliapi.stack.welcome import FirstAdmin

_RECOVERY_S = 600.0
_READY_S = 120.0


def run(*, everything: bool) -> int:
    """Run the stack until it is stopped, and return the exit code. Problems are described in one sentence."""
    console = Console(everything=everything)
    os.umask(0o077)
    user = user_variables(process_environ(), root=ROOT)
    path = home_path(user, root=ROOT)
    if os.geteuid() == 0:
        console.say("Warning: this runs as root. Use an account of its own, to limit what a fault in it can reach.")
    try:
        home = open_home(path)
        with lock_home(home):
            _run(home, plans.make_plan(home, user), console)
    except (StackError, EnvError) as error:
        print(f"PaliAPI cannot run. {error}", file=sys.stderr)  # noqa: T201 - the last message
        return 1
    except OSError as problem:
        print(f"PaliAPI cannot run. {describe(problem, path=path)}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


def _run(home: Home, plan: Plan, console: Console) -> None:
    with ExitStack() as ending:
        servers = [members.of_web(home, plan, ending.enter_context(listen(plan.env.host, plan.env.port)))]
        if plan.env.admin:
            listener = ending.enter_context(
                listen(*derived_settings.admin_bind(plan.env), variables=("ADMIN_HOST", "ADMIN_PORT"))
            )
            servers.append(members.of_admin(home, plan, listener))
        supervisor = ending.enter_context(Supervisor(home, console))
        try:
            credentials = _Start(home, plan, console, supervisor).run(servers)
            console.show(_welcome(home, plan, credentials, console))
            supervisor.mark_up()
            supervisor.watch()
        except StopRequested:
            pass
        console.say("Stopping. Press Ctrl-C again to force it.")
    home.remove_short_names()
    home.remove_metrics()
    console.say("Stopped.")


def _welcome(home: Home, plan: Plan, credentials: dict[str, str], console: Console) -> str:
    """Return the message; secrets that a file or a log would receive are saved instead."""
    if "api_key" not in credentials:
        return welcome.text(plan.env, None, sign_in_link=credentials.get("sign_in_link", ""))
    first_admin = FirstAdmin(**credentials)
    if console.is_terminal:
        return welcome.text(plan.env, first_admin)
    welcome.save(first_admin, home.first_login)
    return welcome.text(plan.env, first_admin, saved_at=home.first_login)


class _Start:
    """The steps of one start."""

    def __init__(self, home: Home, plan: Plan, console: Console, supervisor: Supervisor) -> None:
        self._home = home
        self._plan = plan
        self._console = console
        self._supervisor = supervisor

    def run(self, servers: Sequence[Service]) -> dict[str, str]:
        """Start everything; return the credentials of the first admin, or a link that signs it in, or nothing."""
        self._home.reset_metrics()
        self._start_data_services()
        if self._plan.embeddings_port:
            self._supervisor.add(members.of_embeddings(self._plan))
        self._manage("migrate", "--noinput", progress="Migrating the database")
        self._supervisor.add(members.of_worker(self._home, self._plan))
        self._supervisor.add(members.of_courier(self._home, self._plan))
        self._supervisor.add(members.of_beat(self._home, self._plan))
        for server in servers:
            self._supervisor.add(server)
        if self._plan.embeddings_port:
            self._wait("embeddings", self._embeddings_ready)
        self._wait("web", lambda: self._is_ready(self._plan.env.host, self._plan.env.port))
        if self._plan.env.admin:
            self._wait("admin", lambda: self._is_ready(*derived_settings.admin_bind(self._plan.env)))
        # Last, because its output is shown only once.
        return self._credentials()

    def _start_data_services(self) -> None:
        postgres, redis = self._plan.postgres, self._plan.redis
        if postgres:
            self._console.say("Starting Postgres" if postgres.data.exists() else "Creating a Postgres database")
            self._supervisor.add(members.of_postgres(postgres))
        if redis:
            self._supervisor.add(members.of_redis(redis))
            self._wait("redis", redis.is_ready, within_s=_RECOVERY_S)
        if postgres:
            # Recovery after a power failure may take long.
            self._wait("postgres", postgres.is_ready, within_s=_RECOVERY_S)
            postgres.bootstrap(self._plan.passwords)

    def _credentials(self) -> dict[str, str]:
        options = ["--json", *(["--link"] if self._console.is_terminal else [])]
        printed = self._manage("first_admin", *options, progress="Checking for the first user")
        credentials: dict[str, str] = json.loads(printed.splitlines()[-1])
        return credentials

    def _manage(self, name: str, *arguments: str, progress: str) -> str:
        self._console.say(progress)
        command = members.of_administration(self._home, self._plan, name, *arguments)
        return self._supervisor.run_once(command, within_s=_RECOVERY_S)

    def _wait(self, name: str, ready: Callable[[], bool], *, within_s: float = _READY_S) -> None:
        self._supervisor.wait_for(name, ready, within_s=within_s)
        self._console.say(f"{name} is ready")

    def _embeddings_ready(self) -> bool:
        return _status(f"http://127.0.0.1:{self._plan.embeddings_port}/ready") == http.client.OK

    def _is_ready(self, bound: str, port: int) -> bool:
        """Check a web server that listens on this address."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(bound, bound)  # noqa: S104 - compared, not bound
        address = f"[{host}]" if ":" in host else host
        allowed = self._plan.env.allowed_hosts[0].lstrip(".")
        name = "localhost" if allowed == "*" else allowed
        return _status(f"http://{address}:{port}/readyz", host=name) == http.client.OK


def _status(url: str, *, host: str | None = None) -> int:
    """Return the status of a GET, or 0 if there is no response."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=5)
    try:
        connection.request("GET", parts.path, headers={"Host": host} if host else {})
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()
