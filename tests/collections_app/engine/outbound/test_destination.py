import pytest

from collections_app.engine.outbound.addresses import AllowList
from collections_app.engine.outbound.destination import check_without_lookup, parse_destination
from collections_app.engine.outbound.errors import FetchRefused


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://example.com", "http://example.com/"),
        ("HTTPS://Example.COM:443/a/../b?c=d#e", "https://example.com/b?c=d"),
        ("http://example.com:443/", "http://example.com:443/"),
        ("http://example.com:080/", "http://example.com/"),
        ("https://example.com./x", "https://example.com/x"),
        ("https://b\u00fccher.example/\u00fc \u00df?\u00fc", "https://xn--bcher-kva.example/%C3%BC%20%C3%9F?%C3%BC"),
        ("http://8.8.8.8/", "http://8.8.8.8/"),
        ("https://[2606:4700:4700::1111]/", "https://[2606:4700:4700::1111]/"),
        ("http://example.com?@10.0.0.1/", "http://example.com/?@10.0.0.1/"),
        ("http://example.com#@10.0.0.1/", "http://example.com/"),
        ("http://127\u30020\u30020\u30021/", "http://127.0.0.1/"),
    ],
)
def test_urls_are_normalised(url: str, expected: str) -> None:
    assert parse_destination(url).url == expected


@pytest.mark.parametrize(
    "url",
    [
        "", "example.com", "//example.com/", "/x", "ftp://example.com/", "file:///etc/passwd", "gopher://example.com/",
        "javascript:alert(1)", "data:,x", "http:example.com", "http:///example.com", "http://", "https://:443/",
        "http://alice@example.com/", "http://alice:secret@example.com/", "http://example.com\\@10.0.0.1/",
        "http://example.com:22/", "http://example.com:0/", "http://example.com:99999/", "http://example.com:x/",
        "http://example.com:80:80/", "http://exa mple.com/", "http://example.com\n/", "http://example.com/\x00",
        "http://example.com/\ud800", "http://\ud800/", "http://example..com/", "http://.example.com/",
        "http://example.com../", "http://exam%70le.com/", "http://example.com%2f/", "http://*.example.com/",
        "http://" + "a" * 64 + ".com/", "http://" + "a." * 130 + "com/", "http://example.com/" + "a" * 9000,
        "http://[::1/", "http://[::g]/", "http://[1.2.3.4]/", "http://[v1.x]/",
        "http://0177.0.0.1/", "http://127.1/", "http://2130706433/", "http://0x7f000001/", "http://0x7f.1/",
        "http://0/", "http://127.0.0.1.1/", "http://\uff11\uff12\uff17.0.0.1/", "http://\u2460\u2461\u2466.0.0.1/",
        "http://\u24dbocalhost/", "http://\u200b127.0.0.1/", "http://1\u0660.0.0.1/", "http://xn--\u00e4/",
    ],
)  # fmt: skip
def test_ambiguous_urls_are_refused(url: str) -> None:
    with pytest.raises(FetchRefused):
        parse_destination(url)


def test_only_configured_ports_are_permitted() -> None:
    assert parse_destination("http://example.com:8080/", ports=frozenset({8080})).port == 8080
    with pytest.raises(FetchRefused):
        parse_destination("http://example.com/", ports=frozenset({8080}))


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("/c", "https://example.com/c"),
        ("c?d", "https://example.com/a/c?d"),
        ("//other.example/", "https://other.example/"),
        ("http://other.example/#x", "http://other.example/"),
        ("#x", "https://example.com/a/b"),
        ("..", "https://example.com/"),
    ],
)
def test_references_are_resolved_against_the_destination(reference: str, expected: str) -> None:
    assert parse_destination("https://example.com/a/b").join(reference, ports=frozenset({80, 443})).url == expected


@pytest.mark.parametrize(
    "reference", ["ftp://example.com/", "http://a:b@example.com/", "//x:22/", "http://[", "//x:y/", "\x00"]
)
def test_references_are_parsed_as_strictly_as_urls(reference: str) -> None:
    with pytest.raises(FetchRefused):
        parse_destination("https://example.com/").join(reference, ports=frozenset({80, 443}))


@pytest.mark.parametrize(
    "host",
    ["localhost", "Localhost.", "x.localhost", "intranet", "printer.local", "metadata.google.internal", "a.corp",
     "router.lan", "nas.home.arpa", "127.0.0.1", "169.254.169.254", "10.0.0.1", "[::1]", "[::ffff:7f00:1]",
     "[64:ff9b::a00:1]", "[fe80::1%25eth0]"],
)  # fmt: skip
def test_local_destinations_are_refused_by_name(host: str) -> None:
    with pytest.raises(FetchRefused):
        check_without_lookup(parse_destination(f"http://{host}/"), allow=AllowList())


def test_public_and_allowed_destinations_pass_by_name() -> None:
    for host in ("example.com", "8.8.8.8", "localhost.example.com"):
        check_without_lookup(parse_destination(f"http://{host}/"), allow=AllowList())
    for host in ("wiki.corp", "10.0.0.1"):
        check_without_lookup(parse_destination(f"http://{host}/"), allow=AllowList.parse(["wiki.corp", "10.0.0.0/8"]))
