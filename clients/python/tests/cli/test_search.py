"""`pali search`."""

import base64
import json
import stat
from pathlib import Path
from typing import Any

import pytest

from cli.conftest import KEY, Run
from cli.pseudo_terminal import ATTRIBUTES, Terminal, environ
from cli.remote_server import Answer, RemoteServer
from cli.test_pictures import page
from cli.test_session import PALI


@pytest.fixture(autouse=True)
def _images(server: RemoteServer) -> None:
    server.overrides["getPageImage"] = lambda _request: Answer(200, page())
    example = server.example("search")
    server.overrides["search"] = lambda _request: Answer(200, {**example, "results": hits(example["results"][0])})


def hits(one: dict[str, Any]) -> list[dict[str, Any]]:
    text = "A light of the first order is seen twenty miles away."
    # As with `images: none`.
    first = {**one, "text": text, "img_base64": "", "image_url": None, "thumbnail_url": None}
    return [first, {**first, "document_name": "../../../b\x1b[2J.pdf", "page_number": 1, "regions": None}]


def test_request_has_what_was_asked_for(pali: Run, server: RemoteServer) -> None:
    pali(
        *("search", "light", "-c", "a", "-c", "b", "-f", "year>=2024", "-f", "!draft", "-k", "7"),
        *("--ranking", "hybrid", "--rerank", "--exact", "--per-document", "--min-score", "0.1"),
    )
    body = server.calls("search")[0].json
    assert {name: body[name] for name in ("query", "collections", "top_k", "ranking", "rerank", "mode")} == {
        "query": "light",
        "collections": ["a", "b"],
        "top_k": 7,
        "ranking": "hybrid",
        "rerank": True,
        "mode": "exact",
    }
    assert (body["group_by"], body["min_score"], body["images"]) == ("document", 0.1, "none")
    assert body["query_filter"]["and"][1] == {"not": {"key": "draft", "op": "exists"}}


def test_lines_and_json(pali: Run) -> None:
    lines = pali("search", "light").out.splitlines()
    assert lines[0].split("\t")[:5] == ["1", "0.870", "reports", "annual-report.pdf", "3"]
    assert "\x1b" not in lines[1]
    results = pali("search", "light", "--json").json["results"]
    assert [one["rank"] for one in results] == [1, 2]
    assert results[0]["text"].startswith("A light")
    assert "img_base64" not in results[0]


def test_image_and_words_are_parts_of_one_query(pali: Run, server: RemoteServer, tmp_path: Path) -> None:
    (tmp_path / "q.png").write_bytes(page())
    pali("search", "light", "--image", tmp_path / "q.png")
    pali("search", "--image", tmp_path / "q.png")
    image = base64.b64encode(page()).decode()
    both, alone = (one.json["query"] for one in server.calls("search"))
    assert both == [{"text": "light"}, {"image": image}]
    assert alone == [{"image": image}]
    assert pali("search").code == 2
    assert pali("search", "--image", tmp_path / "missing.png").code == 2


def test_query_is_read_from_standard_input(pali: Run, server: RemoteServer) -> None:
    pali("search", "-", typed="How far is a light seen?\n")
    assert server.calls("search")[0].json["query"] == "How far is a light seen?"


def test_pages_are_saved_in_the_folder_and_nowhere_else(pali: Run, tmp_path: Path) -> None:
    done = pali("search", "light", "--save", tmp_path / "pages", "--json")
    paths = sorted((tmp_path / "pages").iterdir())
    assert [one.name for one in paths] == ["001-annual-report.pdf-p3.png", "002-b-2J.pdf-p1.png"]
    assert [one["saved_as"] for one in done.json["results"]] == [str(one) for one in paths]
    assert paths[0].read_bytes() == page()


@pytest.mark.parametrize(
    ("answers", "start"),
    [
        ({b"a=q,t=d,f=24;AAAA\x1b\\": b"\x1b_Gi=31;OK\x1b\\", ATTRIBUTES: b"\x1b[?62c"}, b"\x1b_Ga=T,f=100"),
        ({ATTRIBUTES: b"\x1b[?62;4c"}, b'\x1bP0;1;0q"1;1;'),
    ],
)
def test_best_page_is_drawn_with_its_regions(
    server: RemoteServer, tmp_path: Path, answers: dict[bytes, bytes], start: bytes
) -> None:
    variables = environ(PALIAPI_URL=server.url, PALIAPI_API_KEY=KEY, HOME=str(tmp_path))
    code, shown = Terminal(answers=answers).run([*PALI, "search", "light"], variables)
    assert code == 0
    assert shown.count(start) == 1
    assert b"1. annual-report.pdf, page 3" in shown
    assert b"\x1b[2J" not in shown
    assert "regions" in server.calls("search")[0].json["include"]


def test_terminal_without_images_gets_text(server: RemoteServer, tmp_path: Path) -> None:
    variables = environ(PALIAPI_URL=server.url, PALIAPI_API_KEY=KEY, HOME=str(tmp_path))
    _, shown = Terminal().run([*PALI, "search", "light"], variables)
    assert b"A light of the first order" in shown
    assert server.calls("getPageImage") == []


def test_page_that_is_no_image_is_left_out(server: RemoteServer, tmp_path: Path) -> None:
    server.overrides["getPageImage"] = lambda _request: Answer(200, b"\x1b]0;owned\x07")
    variables = environ(PALIAPI_URL=server.url, PALIAPI_API_KEY=KEY, HOME=str(tmp_path), PALI_PICTURES="kitty")
    code, shown = Terminal().run([*PALI, "search", "light"], variables)
    assert code == 0
    assert b"owned" not in shown


def test_best_page_is_opened_from_a_file(server: RemoteServer, tmp_path: Path) -> None:
    opener = tmp_path / "xdg-open"
    opener.write_text(f'#!/bin/sh\ncp "$1" {tmp_path}/opened\n')
    opener.chmod(opener.stat().st_mode | stat.S_IEXEC)
    variables = environ(PALIAPI_URL=server.url, PALIAPI_API_KEY=KEY, HOME=str(tmp_path))
    variables["PATH"] = f"{tmp_path}:{variables['PATH']}"
    code, _ = Terminal().run([*PALI, "search", "light", "--open", "--json"], variables)
    assert code == 0
    assert (tmp_path / "opened").read_bytes() == page()


@pytest.mark.parametrize("filter_", ["", "!", "{"])
def test_wrong_filter_is_explained_before_anything_is_sent(pali: Run, server: RemoteServer, filter_: object) -> None:
    wrong = pali("search", "light", "--filter", filter_, "--json")
    assert (wrong.code, json.loads(wrong.out)["error"]["code"]) == (2, "filter_invalid")
    assert server.received == []
