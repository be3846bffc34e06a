"""Fuzz one parser or all: `make fuzz`, or `python -m drills.fuzz files --seconds 600`.

Needs atheris, in the dependency group `fuzz`. Inputs that reach new code are kept in `.tools/fuzz/corpus` and used
again by the next run. Exits with 1 if an input crashes a parser, or takes more than ten seconds or two gigabytes. That
input is written to `.tools/fuzz`; once the parser is fixed, it belongs in `drills/fuzz/findings/TARGET`, from where
tests replay it.
"""

import argparse
import subprocess
import sys
from pathlib import Path

import atheris

# Imported before everything else is instrumented, because numba refuses instrumented code.
from collections_app.engine.retrieval.kernels import dispatch  # noqa: F401

with atheris.instrument_imports(include=["collections_app", "embeddings"]):
    from drills.fuzz import targets

FOLDER = Path(".tools/fuzz/corpus")
_LIMITS = ("-timeout=10", "-rss_limit_mb=2048", "-max_len=65536", "-verbosity=0", "-print_final_stats=1")


def main() -> int:
    """Fuzz each target in a process of its own; return 1 if any has a finding."""
    parser = argparse.ArgumentParser(prog="python -m drills.fuzz")
    parser.add_argument("target", nargs="?", choices=list(targets.TARGETS), help="default: all, one after the other")
    parser.add_argument("--seconds", type=int, default=60, help="how long to fuzz each target")
    parser.add_argument("--alone", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.alone:
        _fuzz(arguments.target, seconds=arguments.seconds)
    names = [arguments.target] if arguments.target else list(targets.TARGETS)
    failed = [name for name in names if not _passes(name, seconds=arguments.seconds)]
    sys.stdout.write(f"Findings: {', '.join(failed) or 'none'}.\n")
    return 1 if failed else 0


def _passes(target: str, *, seconds: int) -> bool:
    sys.stdout.write(f"{target}, {seconds} seconds\n")
    sys.stdout.flush()
    command = [sys.executable, "-m", "drills.fuzz", target, "--seconds", str(seconds), "--alone"]
    return subprocess.run(command, check=False).returncode == 0


def _fuzz(target: str, *, seconds: int) -> None:
    """Fuzz in this process until the time is over or there is a finding; libFuzzer then ends the process."""
    corpus = FOLDER / target
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(targets.seeds(target)):
        (corpus / f"seed-{number}").write_bytes(seed)
    limits = [*_LIMITS, f"-max_total_time={seconds}", f"-artifact_prefix={FOLDER.parent}/{target}-"]
    atheris.Setup([sys.argv[0], *limits, str(corpus)], targets.TARGETS[target])
    atheris.Fuzz()


if __name__ == "__main__":
    sys.exit(main())
