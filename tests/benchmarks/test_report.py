"""The page of figures says what the figures say."""

from xml.etree import ElementTree

from benchmarks import report
from benchmarks.plot import Line, drawn


def test_the_page_is_written_from_the_figures_that_are_kept() -> None:
    assert report.PAGE.read_text() == report.page(), "make bench-report"


def test_a_plot_holds_every_point() -> None:
    text = drawn([Line("<b>", [(100, 2), (1000, 30)]), Line("c", [(10, 0.5)])], across="pages", up="ms")
    found = ElementTree.fromstring(text)  # noqa: S314 - our own
    assert len(found.findall("{http://www.w3.org/2000/svg}circle")) == 3
