"""The text of documentation pages."""

from pathlib import Path

from benchmarks.quality.documentation import pages, roff

MANUAL = r"""'\" t
.\" generated
.TH "CP" "1" "today"
.ie \n(.g .ds Aq \(aq
.el       .ds Aq '
.SH "NAME"
cp \- copy files
.SH "OPTIONS"
.PP
\fB\-\-force\fR
.RS 4
don\*(Aqt ask\&.
.RE
"""
TOPIC = """<page xmlns="http://projectmallard.org/1.0/"><info><desc>Why \
<gui>it</gui> is hot.</desc><credit><name>Anna</name></credit></info>
<title>Hot &amp; loud</title><p>{text}</p></page>"""


def test_manual_page_becomes_its_text() -> None:
    assert roff(MANUAL) == "NAME\ncp - copy files\nOPTIONS\n--force\ndon't ask."


def test_help_topic_has_title_and_text_and_no_authors(tmp_path: Path) -> None:
    folder = tmp_path / "gnome-user-docs/usr/share/help/C/gnome-help"
    folder.mkdir(parents=True)
    (folder / "hot.page").write_text(TOPIC.format(text="Fans turn. " * 300))
    (page,) = pages(tmp_path)
    assert (page.key, page.language, page.title) == ("gnome/hot", "en", "Hot & loud")
    assert page.text.startswith("Why it is hot.\nHot & loudFans turn.")
    assert "Anna" not in page.text
    assert 1400 < len(page.text) <= 1500
