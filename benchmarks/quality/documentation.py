"""The pages: the beginning of each manual page, GNOME help topic and section of the Debian handbook.

Half of the topics of GNOME's help are also there in five other languages. A page is found if any language of it is.
"""

import gzip
import html
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

# Characters of a page. Other scripts need more tokens for the same text.
_LENGTHS = {"ru": 1000, "ja": 500}
_LENGTH = 1500
_LEAST = 200
TRANSLATIONS = ("de", "fr", "es", "ru", "ja")
_MANUALS = (
    *("apt", "coreutils", "cron", "dpkg", "e2fsprogs", "findutils", "git-man", "gpg", "iproute2", "manpages"),
    *("openssh-client", "passwd", "postgresql-client-15", "procps", "rsync", "systemd", "tar", "util-linux"),
)
# Some topics are translated by name only.
_JAPANESE = re.compile(r"[\u3040-\u9fff]")
_LEAST_JAPANESE = 0.4
_FIRST = ("NAME", "名前", "名称")
_ROFF = {"aq": "'", "oq": "'", "cq": "'", "lq": '"', "rq": '"', "dq": '"', "em": "-", "en": "-", "bu": "-"}
_NO_TEXT = re.compile(r"<((?:mal:)?credit|license)\b.*?</\1>|<!--.*?-->", re.DOTALL)
_REQUEST = re.compile(r"[.']\s*(?:\\\"|(?:TH|TP|IP|HP|PP|RS|RE|sp|in|ne|ti|nr|ds|so|ad|ft|ps|ta|Dd|Dt|Os|Bl|El|It)\b)")
_MACRO = re.compile(r"^[.']\s*[A-Za-z]{1,3}(?=\s|$)|^\.$|(?<=\s)(?:Fl|Ar|Oc|Oo|Op|Ev|Xr|Pa|Ns|Cm|Ic|Dv)(?=\s)")
_SPECIAL = re.compile(r"\\\*?\(([a-zA-Z]{2})|\\\*?\[([a-zA-Z]+)\]")
_ESCAPE = re.compile(r"\\f(?:\[\w*\]|\(..|.)|\\s[-+]?\d|\\[&/|,:%cdu]|\\\"[^\n]*|\\m\[\w*\]|\\(?=-)")


@dataclass(frozen=True, slots=True)
class Page:
    """A page; translations of one topic share its key."""

    key: str
    language: str
    title: str
    text: str


def pages(folder: Path) -> list[Page]:
    """Return all pages from the unpacked packages, in a fixed order."""
    manuals = [page for package in _MANUALS for page in _manual_pages(folder / package / "usr/share", "en")]
    known = {page.key for page in manuals if is_translated(page.key)}
    japanese = [page for page in _manual_pages(folder / "manpages-ja/usr/share", "ja") if page.key in known]
    every = [*manuals, *japanese, *_help_topics(folder), *_handbook(folder)]
    return [page for page in every if len(page.text) >= _LEAST and (page.language != "ja" or _is_japanese(page.text))]


def _is_japanese(text: str) -> bool:
    return len(_JAPANESE.findall(text)) >= _LEAST_JAPANESE * len(text)


def _manual_pages(folder: Path, language: str) -> Iterator[Page]:
    for file in sorted(folder.rglob("man?/*.gz")):
        is_page = file.parent.parent.name == ("man" if language == "en" else language) and not file.is_symlink()
        source = gzip.decompress(file.read_bytes()).decode("utf-8", "replace") if is_page else ""
        if source and not source.startswith(".so "):
            text = roff(source)
            title = re.search(r"\bNAME\s+(?:.*? -+ |\S+\s+)(.*)", text)
            key = f"man/{file.stem}"
            yield Page(key, language, title[1].strip() if title else "", _cut(text, language))


def roff(source: str) -> str:
    """Return the text of a manual page: without comments, requests, fonts and the names of macros."""
    lines, skipped = [], ""
    for line in source.splitlines():
        if skipped:
            skipped = "" if skipped in line else skipped
        elif line.startswith((".ie", ".if", ".el")):
            skipped = "\\}" if "\\{" in line and "\\}" not in line else ""
        elif line.startswith((".de", ".ig", ".am")):
            skipped = ".."
        elif not _REQUEST.match(line):
            lines.append(_MACRO.sub("", line).replace('"', ""))
    start = next((place for place, line in enumerate(lines) if line.strip() in _FIRST), 0)
    text = _SPECIAL.sub(lambda mark: _ROFF.get((mark[1] or mark[2] or "aq").lower(), ""), "\n".join(lines[start:]))
    return _blank(_ESCAPE.sub("", text).replace("\\e", "/").replace("\\", ""))


def _help_topics(folder: Path) -> Iterator[Page]:
    base = folder / "gnome-user-docs/usr/share/help"
    for language in ("C", *TRANSLATIONS):
        for file in sorted((base / language / "gnome-help").glob("*.page")):
            if language == "C" or is_translated(file.stem):
                source = _NO_TEXT.sub("", file.read_text(encoding="utf-8"))
                title = re.search(r"<title>(.*?)</title>", source, re.DOTALL)
                name = "en" if language == "C" else language
                yield Page(f"gnome/{file.stem}", name, _plain(title[1]) if title else "", _cut(_plain(source), name))


def is_translated(topic: str) -> bool:
    """Return whether the translations of a topic are among the pages: every other one, by a fixed draw."""
    return zlib.crc32(topic.encode()) % 2 == 0


def _handbook(folder: Path) -> Iterator[Page]:
    for file in sorted((folder / "debian-handbook/usr/share/doc/debian-handbook/html/en-US").glob("*.html")):
        source = file.read_text(encoding="utf-8")
        body = source.partition('class="titlepage"')[2].partition('<ul class="docnav"')[0].partition(">")[2]
        title = re.search(r"<h[12][^>]*>(.*?)</h[12]>", body, re.DOTALL)
        if file.stem not in ("index", "ix01"):
            name = re.sub(r"^(?:Chapter\s)?[\d.]+\s*", "", _plain(title[1])) if title else ""
            yield Page(f"handbook/{file.stem.removeprefix('sect.')}", "en", name, _cut(_plain(body), "en"))


def _plain(source: str) -> str:
    return _blank(html.unescape(re.sub(r"<[^>]+>", "", source)))


def _blank(text: str) -> str:
    return re.sub(r"\s*\n\s*", "\n", re.sub(r"[ \t\xa0]+", " ", text)).strip()


def _cut(text: str, language: str) -> str:
    length = _LENGTHS.get(language, _LENGTH)
    return text if len(text) <= length else text[:length].rpartition(" ")[0] or text[:length]
