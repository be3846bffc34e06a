"""What one start will run, and the settings with which every process of it works."""

from collections.abc import Mapping
from dataclasses import dataclass

from paliapi import env
from paliapi.env import Env
from paliapi.roles import APP, OWNER
from paliapi.stack import secret_store
from paliapi.stack.home import Home
from paliapi.stack.listen import free_port
from paliapi.stack.postgres import Postgres
from paliapi.stack.redis import Redis

_ABOUT = "Written by `manage.py up` at each start; other commands read it. What you set elsewhere wins over it."


@dataclass(frozen=True, slots=True)
class Plan:
    """A part is None when somebody set the URL of another one."""

    env: Env
    settings: Mapping[str, str]
    passwords: Mapping[str, str]
    postgres: Postgres | None
    redis: Redis | None
    embeddings_port: int | None


def make(home: Home, given: Mapping[str, str]) -> Plan:
    """Decide what to start, given what people have set; tell it to all other commands in stack.env."""
    secrets = secret_store.load_or_make(home.path)
    postgres = None if given.get("DATABASE_URL") or given.get("DATABASE_URL_FILE") else Postgres(home)
    redis = (
        None
        if given.get("REDIS_URL") or given.get("REDIS_URL_FILE")
        else Redis(home, password=secrets["REDIS_PASSWORD"])
    )
    port = None if given.get("EMBEDDINGS_URL") else free_port()
    passwords = {OWNER: secrets["DATABASE_OWNER_PASSWORD"], APP: secrets["DATABASE_APP_PASSWORD"]}
    own = {"SECRET_KEY": secrets["SECRET_KEY"], "API_KEY_PEPPERS": f"1:{secrets['API_KEY_PEPPER']}"}
    if postgres:
        own["DATABASE_URL"] = postgres.url_for(APP, password=passwords[APP])
        own["DATABASE_ADMIN_URL"] = postgres.url_for(OWNER, password=passwords[OWNER])
    if redis:
        own["REDIS_URL"] = redis.url
    if port:
        own["EMBEDDINGS_URL"] = f"http://127.0.0.1:{port}"
        own["EMBEDDINGS_URL_TOKEN"] = secrets["EMBEDDINGS_URL_TOKEN"]
    given = {name: value for name, value in given.items() if value}
    own = {name: value for name, value in own.items() if f"{name}_FILE" not in given}
    settings = {**own, **given}
    read = env.read(settings)
    _tell(home, own, settings)
    return Plan(read, settings, passwords, postgres, redis, port)


def _tell(home: Home, own: Mapping[str, str], settings: Mapping[str, str]) -> None:
    """Write what this stack works with, also where somebody set it for this one start only."""
    outside = ("DATABASE_URL", "DATABASE_ADMIN_URL", "REDIS_URL", "EMBEDDINGS_URL", "EMBEDDINGS_URL_TOKEN")
    told = {name: settings[name] for name in (*own, *outside) if name in settings}
    secret_store.write_private(home.path / "stack.env", told, about=_ABOUT)
