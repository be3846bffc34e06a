"""Download and unpack the documentation: `python -m benchmarks.quality.fetch`

The packages and versions in packages.txt are Debian 12's. It needs `apt-get` and a Debian mirror once, no root; the
result stays in `.tools/bench/documentation-packages`. If the archive no longer has a version, its successor is used.
"""

import shutil
import subprocess
import sys
from pathlib import Path

from paliapi.env import ROOT

FOLDER = ROOT / ".tools" / "bench" / "documentation-packages"
_LIST = Path(__file__).with_name("packages.txt")


def main() -> int:
    """Fetch what is missing, and print the versions."""
    sys.stdout.write("".join(f"{name} {version}\n" for name, version in fetch().items()))
    return 0


def fetch() -> dict[str, str]:
    """Return the version of each package, downloading what is missing."""
    versions = dict(line.split() for line in _LIST.read_text(encoding="ascii").splitlines())
    return {name: _unpacked(name, version) for name, version in versions.items()}


def _unpacked(name: str, version: str) -> str:
    folder = FOLDER / name
    stamp = FOLDER / f"{name}.version"
    if not stamp.is_file():
        downloads = FOLDER / "downloads"
        shutil.rmtree(downloads, ignore_errors=True)
        downloads.mkdir(parents=True)
        if _download(downloads, f"{name}={version}") and _download(downloads, name):
            raise SystemExit(f"{name} can't be downloaded; is this Debian, and is `apt-get update` recent?")
        (file,) = downloads.glob("*.deb")
        subprocess.run(["dpkg-deb", "--extract", str(file), str(folder)], check=True)  # noqa: S607
        read = ["dpkg-deb", "--field", str(file), "Version"]
        stamp.write_text(subprocess.run(read, check=True, stdout=subprocess.PIPE, text=True).stdout, encoding="ascii")
        shutil.rmtree(downloads)
    return stamp.read_text(encoding="ascii").strip()


def _download(folder: Path, package: str) -> int:
    command = ["apt-get", "download", "--quiet", package]
    return subprocess.run(command, cwd=folder, check=False, stdout=subprocess.DEVNULL).returncode


if __name__ == "__main__":
    sys.exit(main())
