"""Build every client, install each into an empty environment, and run its tests and its journey.

    python -m clients.verify [NAME...]

`clients/NAME/tests` needs no server. `clients/journeys/test_NAME.py` (or, of the client in TypeScript, its script
`journey`) uses a complete PaliAPI that is started here, at `PALIAPI_URL` with the key `PALIAPI_API_KEY`;
`PALIAPI_RESTART` is a command that restarts its web server.
"""

import argparse
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.harness import stack

ROOT = Path(__file__).resolve().parent.parent
CLIENTS = ROOT / "clients"
TOOLS = ROOT / ".tools" / "clients"
WHEELS = TOOLS / "wheels"
# What the journeys may reach on this machine: pages to fetch, and endpoints of webhooks.
FETCH_PORT, WEBHOOK_PORT = 18080, 18081
SETTINGS = {
    "FETCH_ALLOW": "127.0.0.1",
    "FETCH_PORTS": f"80,443,{FETCH_PORT}",
    "WEBHOOK_ALLOW": "127.0.0.1",
    "WEBHOOK_PORTS": str(WEBHOOK_PORT),
}

# The standard tests of LangChain have coroutines without a marker.
ASYNCIO = ("-o", "asyncio_mode=auto", "-o", "asyncio_default_fixture_loop_scope=function")


@dataclass(frozen=True)
class PythonPackage:
    """A client in Python: a folder with a `pyproject.toml` whose extra `test` has what its tests need."""

    folder: str
    distribution: str
    extras: str = "test"
    types: bool = True
    # Journeys besides the one with the name of the folder.
    others: tuple[str, ...] = ()
    options: tuple[str, ...] = ()  # of pytest, for the journeys

    @property
    def environment(self) -> Path:
        return TOOLS / self.folder

    def build(self) -> None:
        """Build the wheel."""
        _uv("build", "--quiet", "--wheel", "--out-dir", WHEELS, CLIENTS / self.folder)

    def prepare(self) -> None:
        """Install the wheel into an empty environment."""
        wheel = f"{self.distribution}[{self.extras}] @ {self._wheel().as_uri()}"
        _uv("venv", "--quiet", "--clear", "--python", sys.executable, self.environment)
        _uv("pip", "install", "--quiet", "--python", self.environment, "--find-links", WHEELS, wheel)

    def test(self) -> None:
        """Run the tests that need no server, and check the types."""
        folder = CLIENTS / self.folder
        if self.types:
            self._python("-m", "mypy", "src", folder=folder)
        if (folder / "tests").exists():
            self._python("-m", "pytest", "-q", "tests", folder=folder)

    def travel(self, environ: dict[str, str]) -> None:
        """Run its journeys."""
        names = (self.folder.replace("-", "_"), *self.others)
        folder = CLIENTS / "journeys"
        journeys = [path for name in names if (path := folder / f"test_{name}.py").exists()]
        if journeys:
            options = ("-q", "-p", "no:cacheprovider", *self.options)
            self._python("-m", "pytest", *options, *journeys, folder=folder, environ=environ)

    def _wheel(self) -> Path:
        return next(WHEELS.glob(f"{self.distribution.replace('-', '_')}-*.whl"))

    def _python(self, *arguments: str | Path, folder: Path, environ: dict[str, str] | None = None) -> None:
        programs = f"{self.environment / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
        _run(
            self.environment / "bin" / "python",
            *arguments,
            folder=folder,
            environ={**(environ or {}), "PATH": programs},
        )


@dataclass(frozen=True)
class PastedFiles(PythonPackage):
    """Files that are pasted into another program, and find there what `distribution` and `extras` name."""

    types: bool = False

    def build(self) -> None:
        """Build nothing."""

    def prepare(self) -> None:
        """Install what the other program has into an empty environment."""
        _uv("venv", "--quiet", "--clear", "--python", sys.executable, self.environment)
        requirements = [*self.distribution.split(), *self.extras.split()]
        _uv("pip", "install", "--quiet", "--python", self.environment, *requirements)


@dataclass(frozen=True)
class NpmPackage:
    """The client in TypeScript: a folder with a `package.json`, whose scripts test it."""

    folder: str
    name: str

    @property
    def project(self) -> Path:
        return TOOLS / self.folder

    def build(self) -> None:
        """Do nothing: `npm pack` builds it."""

    def prepare(self) -> None:
        """Install the package, as `npm pack` makes it, into an empty project."""
        self._npm("ci", "--no-audit", "--no-fund", "--silent", "--ignore-scripts")
        shutil.rmtree(self.project, ignore_errors=True)
        self.project.mkdir(parents=True)
        self._npm("pack", "--silent", "--pack-destination", self.project)
        (self.project / "package.json").write_text("{}\n")
        packed = next(self.project.glob("*.tgz"))
        self._npm("install", "--offline", "--no-audit", "--no-fund", "--silent", packed, folder=self.project)

    def test(self) -> None:
        """Check the types, and whether they are those of the OpenAPI document; run the tests that need no server."""
        self._npm("run", "--silent", "check")
        self._npm("run", "--silent", "test")

    def travel(self, environ: dict[str, str]) -> None:
        """Run the journey, and the examples of the documentation, with the installed package."""
        installed = self.project / "node_modules" / self.name / "dist" / "esm" / "index.js"
        self._npm("run", "--silent", "journey", environ={**environ, "PALIAPI_CLIENT": str(installed)})

    def _npm(self, *arguments: str | Path, folder: Path | None = None, environ: dict[str, str] | None = None) -> None:
        _run("npm", *arguments, folder=folder or CLIENTS / self.folder, environ=environ or {})


PACKAGES: dict[str, PythonPackage | NpmPackage] = {
    "python": PythonPackage("python", "paliapi-client", extras="cli,s3,test", others=("cli",)),
    "typescript": NpmPackage("typescript", "@paliapi/client"),
    "mcp": PythonPackage("mcp", "paliapi-mcp"),
    "langchain": PythonPackage("langchain", "langchain-paliapi", options=ASYNCIO),
    "llama-index": PythonPackage("llama-index", "llama-index-retrievers-paliapi"),
    "open-webui": PastedFiles("open-webui", "httpx pydantic", "pytest"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", choices=[*PACKAGES, []], help="default: all")
    names = parser.parse_args().names or list(PACKAGES)
    chosen = {name: PACKAGES[name] for name in names}
    if "typescript" in chosen and shutil.which("npm") is None:
        sys.stderr.write("typescript: not tested, because npm is not installed\n")
        del chosen["typescript"]
    WHEELS.mkdir(parents=True, exist_ok=True)
    for wheel in WHEELS.glob("*.whl"):
        wheel.unlink()
    for package in PACKAGES.values():
        package.build()
    for name, package in chosen.items():
        _say(name, "installing", package.prepare)
        _say(name, "tests", package.test)
    with stack.temporary_folder() as folder, stack.running(folder, **SETTINGS) as running:
        environ = {
            "PALIAPI_URL": running.url,
            "PALIAPI_API_KEY": running.key,
            "PALIAPI_FETCH_PORT": str(FETCH_PORT),
            "PALIAPI_WEBHOOK_PORT": str(WEBHOOK_PORT),
            "PALIAPI_RESTART": f"{sys.executable} -m clients.restart_web {folder / 'home'} {running.url}",
        }
        for name, package in chosen.items():
            _say(name, "journey", partial(package.travel, environ))


def _say(name: str, what: str, work: Callable[[], None]) -> None:
    started = time.monotonic()
    sys.stderr.write(f"{name}: {what}\n")
    work()
    sys.stderr.write(f"{name}: {what} took {time.monotonic() - started:.1f} s\n")


def _uv(*arguments: str | Path) -> None:
    _run(shutil.which("uv") or ROOT / ".tools" / "bin" / "uv", *arguments, folder=ROOT, environ={})


def _run(*argv: str | Path, folder: Path, environ: dict[str, str]) -> None:
    done = subprocess.run([str(word) for word in argv], cwd=folder, env={**os.environ, **environ}, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(str(word) for word in argv)}: status {done.returncode}")


if __name__ == "__main__":
    main()
