"""The sizes of a search's stages, and when exact scoring stops."""

from collections_app.engine.retrieval.plan import PLAN


def test_small_scopes_are_scored_exactly() -> None:
    assert PLAN.steps(100, hits=10) is None
    assert PLAN.steps(3000, hits=1000) is None


def test_each_stage_is_larger_than_the_next_and_than_the_hits() -> None:
    for pages, hits in ((101, 3), (10_000, 10), (100_000, 10), (1_000_000, 200)):
        steps = PLAN.steps(pages, hits=hits)
        assert steps is not None
        assert hits < steps.min_exact < steps.max_exact <= steps.pooled_candidates < steps.coarse_candidates
        assert steps.pooled_candidates < steps.merged_fine_candidates < steps.merged_coarse_candidates


def test_query_is_merged_if_it_has_so_many_vectors_that_this_saves_time() -> None:
    for pages, least in ((1000, 13), (10_000, 20), (1_000_000, 12)):
        steps = PLAN.steps(pages, hits=10)
        assert steps is not None
        assert all(steps.merged_limit(vectors) == vectors for vectors in range(1, min(least - 2, 33)))
        assert all(steps.merged_limit(vectors) == 8 for vectors in range(least, 33))
        assert steps.merged_limit(128) in (32, 128)


def test_scoring_stops_when_the_next_estimate_is_too_far_below_the_threshold() -> None:
    steps = PLAN.steps(1000, hits=10)
    assert steps is not None
    gaps = [0.5, 1.5, 0.5, 1.5]  # mean 1, standard deviation 0.5
    highest = 7 + 1 + PLAN.patience * 0.5
    assert not steps.is_settled(gaps, estimate=7, threshold=highest - 0.01)
    assert steps.is_settled(gaps, estimate=7, threshold=highest + 0.01)
