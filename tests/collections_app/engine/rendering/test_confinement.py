"""The walls around the real rendering process, from inside and from outside."""

import io
import json
import sys
import tempfile
from pathlib import Path

import pytest
from django.test import Client

from collections_app.engine.rendering.confinement import Program, require_walls, standing_walls
from collections_app.engine.rendering.errors import SandboxIncomplete
from collections_app.engine.rendering.protocol import Job, RenderLimits
from collections_app.engine.rendering.render import _Child, render
from sandbox.walls import Walls
from tests.collections_app.engine.rendering import hostile_renderer
from tests.collections_app.engine.rendering.samples import pdf
from tests.sandbox.attempts import ATTEMPTS, Targets
from tests.sandbox.confined import targets


def rendered_by_hostile_code(attacked: Targets) -> dict[str, str]:
    """Return the result of each attempt in the process that renders uploads."""
    job = Job(renderer=hostile_renderer.__name__, dpi=72, encoding="png", limits=RenderLimits(sandbox_required=True))
    with tempfile.TemporaryFile() as file:
        file.write(attacked.to_json().encode())
        file.flush()
        with _Child(file, job) as child:
            (page,) = child.pages()
    return dict(json.loads(page.text))


def test_code_that_took_over_the_rendering_process_is_refused_everything() -> None:
    with targets() as attacked:
        results = rendered_by_hostile_code(attacked)
    assert results.keys() == ATTEMPTS.keys() | {"start a thread"}
    assert {name for name, result in results.items() if result == "succeeded"} == {"start a thread"}


def test_all_walls_stand_where_the_tests_run() -> None:
    assert standing_walls() == Walls(network=True, files=True, calls=True, user=True)
    require_walls()


def test_missing_walls_are_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    standing_walls.cache_clear()
    assert standing_walls() == Walls(network=False, files=False, calls=False, user=False)
    monkeypatch.undo()
    require_walls()
    assert standing_walls().missing() == ()


def test_readiness_reports_the_walls(db: None) -> None:
    assert Client().get("/readyz").json()["sandbox"] == {"network": True, "files": True, "calls": True, "user": True}


def test_nothing_is_rendered_without_the_walls_required(without_walls: None) -> None:
    assert next(render(io.BytesIO(pdf("x")))).text == "x"
    with pytest.raises(SandboxIncomplete, match="Missing: files, user") as missing:
        next(render(io.BytesIO(pdf("x")), limits=RenderLimits(sandbox_required=True)))
    assert missing.value.code == "sandbox_incomplete"


@pytest.mark.parametrize(
    ("path", "folder"),
    [("/usr/lib/libreoffice/program/soffice", "/usr/lib/libreoffice"), ("/opt/tool/bin/convert", "/opt/tool/bin")],
)
def test_a_program_sees_its_installation_and_no_folder_of_data(path: str, folder: str) -> None:
    visible = Program(path=path, folder="/run", memory_mb=1, cpu_s=1, file_mb=1).visible()
    assert visible[-1] == folder
    for data in (
        "/",
        "/opt",
        "/usr",
        "/usr/local",
        "/var",
        "/srv",
        "/home",
        "/root",
        "/tmp",
        "/proc",
        "/etc",
        str(Path.cwd()),
    ):
        assert data not in visible
        assert not any(Path(data).is_relative_to(seen) for seen in visible)
