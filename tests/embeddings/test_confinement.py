"""What hostile code can do in the process of the service."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.sandbox.attempts import ATTEMPTS, Targets
from tests.sandbox.confined import ROOT, targets

CONFINED = """
import os, sys
from embeddings import config, confinement
from tests.sandbox import attempts
confinement.confine(config.load({"COLPALI_API_KEY": "key", "COLPALI_BACKEND": sys.argv.pop(1)}))
attempts.main()
"""
# Root without privileges gains nothing, and the session of the service is its own.
HARMLESS = {"become root", "leave the session"}


def attempt(backend: str, at: Targets, *names: str, **variables: str) -> dict[str, str]:
    command = [sys.executable, "-B", "-c", CONFINED, backend, at.to_json(), *names]
    done = subprocess.run(
        command,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={"PATH": os.defpath, **variables},
        stdin=subprocess.DEVNULL,
    )
    assert done.stdout, done.stderr
    return dict(json.loads(line) for line in done.stdout.splitlines())


@pytest.mark.parametrize("backend", ["embedded", "lexical"])
def test_hostile_code_reaches_nothing(backend: str) -> None:
    with targets() as at:
        results = attempt(backend, at)
        assert results.keys() == ATTEMPTS.keys()
        assert {name for name, result in results.items() if result == "succeeded"} <= HARMLESS
        assert Path(at.secret).read_text() == "secret"


def test_visual_backend_and_reranker_are_not_confined() -> None:
    with targets() as at:
        assert attempt("colpali", at, "read a secret") == {"read a secret": "succeeded"}
        assert attempt("lexical", at, "read a secret", COLPALI_RERANKER="a/model") == {"read a secret": "succeeded"}


def test_folder_that_contains_the_program_cannot_be_listed() -> None:
    code = CONFINED.replace("attempts.main()", "os.listdir(sys.argv[1])")
    command = [sys.executable, "-B", "-c", code, "embedded", str(ROOT)]
    environ = {"PATH": os.defpath}
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60, env=environ)
    assert done.stderr.splitlines()[-1].startswith("PermissionError")
