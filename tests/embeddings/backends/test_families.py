"""The classes that run a model."""

import pytest

from embeddings.backends.families import DEFAULT_MODEL, RESEARCH_ONLY, UnsupportedModel, candidate_models, family_of


@pytest.mark.parametrize(
    ("configuration", "expected"),
    [
        ({"model_type": "qwen2_5_vl", "architectures": ["ColQwen2_5"]}, "ColQwen2_5"),
        ({"model_type": "qwen2_5_vl", "architectures": ["Qwen2_5_VLForConditionalGeneration"]}, "ColQwen2_5"),
        ({"model_type": "paligemma", "architectures": None}, "ColPali"),
        ({"model_type": "idefics3"}, "ColIdefics3"),
    ],
)
def test_type_of_the_model_selects_its_class(configuration: dict[str, object], expected: str) -> None:
    assert family_of(configuration, model="a/b").model == expected


@pytest.mark.parametrize(
    ("configuration", "message"),
    [
        ({"model_type": "qwen2_vl", "architectures": ["BiQwen2"]}, "a single vector for a page"),
        ({"model_type": "colqwen2", "architectures": ["ColQwen2ForRetrieval"]}, "COLPALI_BACKEND=native"),
        ({"model_type": "bert"}, "has the type bert; supported are paligemma"),
        ({}, "a/b"),
    ],
)
def test_unsupported_model_is_refused_with_a_remedy(configuration: dict[str, object], message: str) -> None:
    with pytest.raises(UnsupportedModel, match=message):
        family_of(configuration, model="a/b")


def test_merged_weights_are_tried_first_unless_a_revision_is_pinned() -> None:
    assert candidate_models(DEFAULT_MODEL, revision="") == [f"{DEFAULT_MODEL}-merged", DEFAULT_MODEL]
    assert candidate_models(DEFAULT_MODEL, revision="abc") == [DEFAULT_MODEL]
    assert candidate_models("a/b", revision="") == ["a/b"]


def test_licence_warning_names_the_default_model_and_free_alternatives() -> None:
    assert DEFAULT_MODEL in RESEARCH_ONLY
    assert "Apache-2.0" in RESEARCH_ONLY
