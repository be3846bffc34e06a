"""Attacks from inside: what an injection, a hole in a parser, or a look at processes and logs would reach."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx
import psycopg
import redis

from drills.attack.scene import Attack, Broken, Scene
from tests.collections_app.engine.rendering.test_confinement import rendered_by_hostile_code
from tests.sandbox.confined import targets

_SQL = (
    "SET ROLE paliapi_staff",
    "SET ROLE paliapi_owner",
    "SELECT password FROM accounts_customuser",
    "UPDATE accounts_customuser SET is_superuser = true",
    "SELECT * FROM django_session",
    "INSERT INTO accounts_customuser_user_permissions (customuser_id, permission_id) VALUES (1, 1)",
    "DELETE FROM django_admin_log",
    "ALTER TABLE collections_app_document DISABLE ROW LEVEL SECURITY",
)
_ONLY_FOR_ADMINISTRATION = ("DATABASE_ADMIN_URL", "DATABASE_OWNER_PASSWORD")
_COMMANDS = (("CONFIG", "GET", "dir"), ("DEBUG", "JMAP"), ("MODULE", "LIST"), ("FLUSHALL",), ("SHUTDOWN", "NOSAVE"))


def _sql(scene: Scene) -> str:
    environ = _environ(scene.stack.pid_of("web"))
    allowed = []
    for statement in _SQL:
        with psycopg.connect(environ["DATABASE_URL"], autocommit=False) as connection:
            try:
                connection.execute(statement)
            except psycopg.Error:
                pass
            else:
                allowed.append(statement)
            connection.rollback()
    if allowed:
        raise Broken("; ".join(allowed))
    return f"{len(_SQL)} statements refused"


def _environments(scene: Scene) -> str:
    names = ("web", "worker", "courier", "beat", "admin", "embeddings")
    leaks = [
        f"{name} has {secret}"
        for name in names
        for secret in _ONLY_FOR_ADMINISTRATION
        if secret in _environ(scene.stack.pid_of(name))
    ]
    embeddings = _environ(scene.stack.pid_of("embeddings"))
    leaks += [f"embeddings has {name}" for name in ("SECRET_KEY", "DATABASE_URL", "REDIS_URL") if name in embeddings]
    if leaks:
        raise Broken(", ".join(leaks))
    return "absent"


def _environ(pid: int) -> Mapping[str, str]:
    content = Path(f"/proc/{pid}/environ").read_bytes().decode(errors="replace")
    return dict(entry.partition("=")[::2] for entry in content.split("\0") if entry)


def _redis(scene: Scene) -> str:
    url = _environ(scene.stack.pid_of("web"))["REDIS_URL"]
    with redis.Redis.from_url(url) as client:
        allowed = []
        for command in _COMMANDS:
            try:
                client.execute_command(*command)
            except redis.exceptions.RedisError as error:
                # DEBUG is refused by the configuration before permissions are looked at.
                if not isinstance(error, redis.exceptions.NoPermissionError) and "not allowed" not in str(error):
                    allowed.append(f"{command[0]} ({error})")
            else:
                allowed.append(command[0])
    if allowed:
        raise Broken(", ".join(allowed))
    return f"{len(_COMMANDS)} commands refused"


def _image_for_the_embeddings_service(scene: Scene) -> str:
    """Send what the API forwards to the service if it does not decode images itself."""
    tiff = b"II*\0\x08\0\0\0"
    environ = _environ(scene.stack.pid_of("embeddings"))
    url = f"http://{environ['COLPALI_HOST']}:{environ['COLPALI_PORT']}"
    files = {"images": ("x.tiff", tiff, "image/tiff")}
    headers = {"Authorization": f"Bearer {environ['COLPALI_API_KEY']}"}
    response = httpx.post(f"{url}/embeddings", headers=headers, files=files, trust_env=False, timeout=30)
    if response.status_code < 400:
        raise Broken("decoded")
    return str(response.status_code)


def _code_in_the_renderer(_scene: Scene) -> str:
    """Run hostile code in a child that renders, under its real walls."""
    succeeded = [name for name, end in _attempts() if end == "succeeded" and name != "start a thread"]
    if succeeded:
        raise Broken(", ".join(succeeded))
    return "all refused"


def _attempts() -> Iterator[tuple[str, str]]:
    with targets() as attacked:
        yield from rendered_by_hostile_code(attacked).items()


def _first_credentials(scene: Scene) -> str:
    if "pali_" in scene.output:
        raise Broken("the first key is in the redirected output")
    return "written to a file of mode 0600"


def _traces(scene: Scene) -> str:
    with scene.client(scene.attacker) as client:
        request_id = client.get("/v1/me/").headers["x-request-id"]
    logs = (scene.stack.home.path / "logs").glob("web*")
    lines = [line for path in logs for line in path.read_text(errors="replace").splitlines() if request_id in line]
    missing = [name for name in ("key_id", "owner_id", "address") if not any(name in line for line in lines)]
    if missing:
        raise Broken(f"the log line lacks {', '.join(missing)}")
    return "key, owner and address"


ATTACKS = (
    Attack("SQL of an injection, as the web server's login", "any row, any password hash, superuser", _sql),
    Attack(
        "Secrets in the environment of processes that do not need them", "the table owner's password", _environments
    ),
    Attack(
        "Administrative commands to Redis with the web server's password",
        "accepted, by a faulty version",
        _redis,
    ),
    Attack(
        "A TIFF for the embeddings service", "decoded next to all tenants' pages", _image_for_the_embeddings_service
    ),
    Attack(
        "Code in the process that renders uploads", "read all secrets and files, ran as root", _code_in_the_renderer
    ),
    Attack("The first key and password in a redirected output", "readable by all users", _first_credentials),
    Attack("What a leaked key did, by the log", "unknown", _traces),
)
