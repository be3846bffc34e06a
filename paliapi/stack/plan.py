"""What a start will run, and the settings of all its processes."""

from collections.abc import Mapping
from dataclasses import dataclass

from paliapi import env
from paliapi.env import Env
from paliapi.roles import DATABASE_LOGINS
from paliapi.stack import secret_store
from paliapi.stack.home import Home
from paliapi.stack.listen import free_port
from paliapi.stack.postgres import Postgres
from paliapi.stack.redis import Redis

_ABOUT = "Written by `manage.py up` at each start, for other commands. Variables set elsewhere take precedence."


@dataclass(frozen=True, slots=True)
class Plan:
    """What to run. A service is None if the URL of an external one is set."""

    env: Env
    settings: Mapping[str, str]
    passwords: Mapping[str, str]
    postgres: Postgres | None
    redis: Redis | None
    embeddings_port: int | None


def make_plan(home: Home, user: Mapping[str, str]) -> Plan:
    """Decide what to start, depending on the user's variables, and write stack.env for other commands."""
    secrets = secret_store.load_or_create(home.path)
    postgres = None if user.get("DATABASE_URL") or user.get("DATABASE_URL_FILE") else Postgres(home)
    redis = (
        None if user.get("REDIS_URL") or user.get("REDIS_URL_FILE") else Redis(home, password=secrets["REDIS_PASSWORD"])
    )
    port = None if user.get("EMBEDDINGS_URL") else free_port()
    passwords = {role: secrets[name] for role, name in secret_store.PASSWORDS.items()}
    own = {"SECRET_KEY": secrets["SECRET_KEY"], "API_KEY_PEPPERS": f"1:{secrets['API_KEY_PEPPER']}"}
    if postgres:
        for name, role in DATABASE_LOGINS.items():
            own[name] = postgres.url_for(role, password=passwords[role])
    if redis:
        own["REDIS_URL"] = redis.url
    if port:
        own["EMBEDDINGS_URL"] = f"http://127.0.0.1:{port}"
        own["EMBEDDINGS_URL_TOKEN"] = secrets["EMBEDDINGS_URL_TOKEN"]
    chosen = {name: value for name, value in user.items() if value}
    own = {name: value for name, value in own.items() if f"{name}_FILE" not in chosen}
    # Empty variables stay, so that they override what a file says in the children too.
    settings = {**user, **own, **chosen}
    configuration = env.read(settings)
    _write_stack_env(home, own, settings)
    return Plan(configuration, settings, passwords, postgres, redis, port)


def _write_stack_env(home: Home, own: Mapping[str, str], settings: Mapping[str, str]) -> None:
    """Write the settings of this stack, including those of the user that were set for this start only."""
    external = (*DATABASE_LOGINS, "REDIS_URL", "EMBEDDINGS_URL", "EMBEDDINGS_URL_TOKEN")
    values = {name: settings[name] for name in (*own, *external) if settings.get(name)}
    secret_store.write_private(home.path / "stack.env", values, about=_ABOUT)
