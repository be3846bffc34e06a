"""The documentation that a running server serves, and the list of it for agents."""

import posixpath
import re

import pytest
from django.test import Client

from paliapi.env import ROOT

PAGES = sorted(file.relative_to(ROOT).as_posix() for file in ROOT.glob("docs/*.md"))
LINK = re.compile(r"\]\(([^)#\s]+)[^)]*\)")


def text(path: str) -> str:
    answer = Client().get(path)
    assert answer.status_code == 200, path
    return answer.content.decode()


def test_list_links_to_every_page_on_this_server() -> None:
    links = LINK.findall(text("/llms.txt"))
    assert {f"http://testserver/{page}" for page in PAGES} <= set(links)
    for link in links:
        assert text(link.removeprefix("http://testserver"))


def test_list_names_the_server_that_was_asked() -> None:
    answer = Client().get("/llms.txt", headers={"Host": "localhost:8001"})
    assert b"http://localhost:8001/docs/api.md" in answer.content
    assert b"SERVER" not in answer.content


@pytest.mark.parametrize("page", PAGES)
def test_page_is_served_as_it_is_with_working_links_to_others(page: str) -> None:
    content = text(f"/{page}")
    assert content == (ROOT / page).read_text()
    for link in LINK.findall(content):
        path = posixpath.normpath(posixpath.join(posixpath.dirname(page), link))
        if link.endswith(".md") and not link.startswith("https:"):
            assert text(f"/{path}")


def test_unchanged_page_is_not_sent_again() -> None:
    answer = Client().get("/docs/api.md")
    assert answer["Content-Type"] == "text/markdown; charset=utf-8"
    again = Client().get("/docs/api.md", headers={"If-None-Match": answer["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert Client().post("/docs/api.md").status_code == 405


@pytest.mark.parametrize(
    "path",
    [
        "/docs/../manage.py",
        "/docs/%2e%2e/manage.py",
        "/docs/..%2fmanage.py",
        "/docs//etc/passwd",
        "/docs/decisions/../../manage.py",
        "/docs/sample/lighthouses.pdf",
        "/docs/api.md/",
        "/docs/api.md%00",
        "/docs/",
        "/embeddings/config.py",
    ],
)
def test_nothing_else_is_served(path: str) -> None:
    answer = Client().get(path)
    assert answer.status_code == 404
    assert answer["Content-Type"] == "application/problem+json"


def test_container_image_has_every_page() -> None:
    stage = (ROOT / "Dockerfile").read_text().partition("AS product")[2].partition("\nFROM")[0]
    copied = [source for line in re.findall(r"^COPY (.*) \S+$", stage, re.MULTILINE) for source in line.split()]
    packed = {file for source in copied for found in ROOT.glob(source) for file in [found, *found.rglob("*")]}
    pages = {ROOT / link.removeprefix("http://testserver/") for link in LINK.findall(text("/llms.txt"))}
    assert pages | {ROOT / "docs" / "llms.txt"} <= packed
