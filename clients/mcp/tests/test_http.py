"""What HTTP requests are refused before the protocol, and the command that starts the servers."""

import socket
import subprocess
import sys
from collections.abc import Iterator

import httpx2
import pytest
from fake_paliapi import READ_KEY, FakeAPI, served

from paliapi_mcp.command import main, parser, settings_of
from paliapi_mcp.http import MAX_BODY_BYTES, SMALL_BODY_BYTES, http_app
from paliapi_mcp.server import build_server
from paliapi_mcp.settings import Settings

PING = {"jsonrpc": "2.0", "id": 1, "method": "ping"}


@pytest.fixture
def http(http_url: str) -> Iterator[httpx2.Client]:
    accept = "application/json, text/event-stream"
    with httpx2.Client(base_url=http_url, headers={"Accept": accept}, timeout=30) as client:
        yield client


@pytest.mark.parametrize("authorization", [None, "Basic abc", "Bearer", "Bearer a b", "Bearer " + "x" * 513])
def test_requests_without_a_key_are_refused(http: httpx2.Client, authorization: str | None) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    refused = http.post("/mcp", json=PING, headers=headers)
    assert (refused.status_code, refused.headers["WWW-Authenticate"]) == (401, 'Bearer realm="PaliAPI"')
    assert "API key of PaliAPI" in refused.json()["detail"]


def test_only_posts_to_one_path_are_served(http: httpx2.Client) -> None:
    http.headers["Authorization"] = f"Bearer {READ_KEY}"
    assert http.post("/mcp", json=PING).json()["result"] == {}
    assert [http.get("/mcp").status_code, http.delete("/mcp").status_code] == [405, 405]
    assert http.post("/other", json=PING).status_code == 404
    assert http.get("/healthz").text == "ok\n"
    assert http.post("/mcp", content=b"{").status_code == 400
    assert http.post("/mcp", content=b"x" * (MAX_BODY_BYTES + 1)).status_code == 413


def test_pages_of_other_hosts_cannot_use_the_server(http: httpx2.Client) -> None:
    http.headers["Authorization"] = f"Bearer {READ_KEY}"
    assert http.post("/mcp", json=PING, headers={"Host": "evil.test"}).status_code == 421
    assert http.post("/mcp", json=PING, headers={"Origin": "https://evil.test"}).status_code == 403


def test_host_names_behind_a_proxy_are_allowed_by_name(api: FakeAPI) -> None:
    app = http_app(build_server(Settings(url=api.url)), host="127.0.0.1", allowed_hosts=["mcp.example.com"])
    headers = {"Authorization": f"Bearer {READ_KEY}", "Accept": "application/json, text/event-stream"}
    with served(app) as url, httpx2.Client(base_url=url, headers=headers) as http:
        allowed = {"Host": "mcp.example.com", "Origin": "https://mcp.example.com"}
        assert http.post("/mcp", json=PING, headers=allowed).status_code == 200
        assert http.post("/mcp", json=PING).status_code == 421


def test_bodies_must_arrive_in_time_and_few_large_ones_at_once(api: FakeAPI) -> None:
    server = build_server(Settings(url=api.url))
    app = http_app(server, host="127.0.0.1", allowed_hosts=[], body_within_s=0.2, large_bodies=0)
    head = b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer k\r\nContent-Length: 100\r\n\r\n{"
    with served(app) as url, httpx2.Client(base_url=url, headers={"Authorization": "Bearer k"}) as http:
        with socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), timeout=20) as connection:
            connection.sendall(head)
            assert connection.recv(100).startswith(b"HTTP/1.1 408 ")
        busy = http.post("/mcp", content=b"x" * (SMALL_BODY_BYTES + 1))
    assert (busy.status_code, busy.headers["Retry-After"]) == (503, "5")


@pytest.mark.parametrize(
    ("args", "environ", "message"),
    [
        ([], {"PALIAPI_API_KEY": "k", "PALIAPI_URL": "ftp://x"}, "PALIAPI_URL must start with http:// or https://"),
        (["--http"], {"PALIAPI_URL": "http://user:word@x/"}, "without a user name"),
        (["--http", "--allow-folder", "."], {}, "--allow-folder is for stdio"),
        (["--allow-folder", "/no/such"], {"PALIAPI_API_KEY": "k"}, "there is no such folder"),
        (["--max-images", "99"], {"PALIAPI_API_KEY": "k"}, "must be from 0 to 20"),
        (["--port", "x"], {"PALIAPI_API_KEY": "k"}, "invalid"),
    ],
)
def test_a_wrong_start_is_explained(
    args: list[str], environ: dict[str, str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(args, environ)
    output = capsys.readouterr()
    assert (ended.value.code, output.out) == (2, "")
    assert message in output.err


def test_http_has_no_key_of_its_own() -> None:
    environ = {"PALIAPI_API_KEY": "pali_of_the_operator"}
    assert settings_of(parser().parse_args([]), environ).key == "pali_of_the_operator"
    assert settings_of(parser().parse_args(["--http"]), environ).key is None
    assert "pali_of" not in repr(settings_of(parser().parse_args([]), environ))


def test_the_command_without_a_key_says_what_is_missing() -> None:
    command = [sys.executable, "-m", "paliapi_mcp"]
    ended = subprocess.run(command, env={}, capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == "paliapi-mcp: set PALIAPI_API_KEY to an API key of PaliAPI.\n"
