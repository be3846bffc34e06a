"""The table of a comparison."""

from benchmarks.load.compare import table


def test_the_ratio_is_the_median_of_the_rounds_ratios_and_not_the_ratio_of_the_medians() -> None:
    rounds = [({"ms": 10.0}, {"ms": 20.0}), ({"ms": 20.0}, {"ms": 21.0}), ({"ms": 100.0}, {"ms": 90.0})]
    assert "| ms | 20.0 | 21.0 | 1.05 |" in table(rounds, stolen_percent=0.5).splitlines()
