"""docs/benchmarks.md matches the stored figures."""

from xml.etree import ElementTree

from benchmarks import report
from benchmarks.plot import Line, svg


def test_page_matches_the_stored_figures() -> None:
    assert report.PAGE.read_text() == report.page(), "make bench-report"


def test_plot_contains_every_point() -> None:
    text = svg([Line("<b>", [(100, 2), (1000, 30)]), Line("c", [(10, 0.5)])], across="pages", up="ms")
    found = ElementTree.fromstring(text)  # noqa: S314 - our own
    assert len(found.findall("{http://www.w3.org/2000/svg}circle")) == 3
