"""The format of keys."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.keys import KeyParts, digest, matches, mint, parse

BASE62 = string.digits + string.ascii_letters


def test_minted_key_can_be_parsed() -> None:
    minted = mint()
    assert parse(minted.text) == minted
    assert minted.text.endswith(minted.last4)


def test_every_key_has_the_documented_format() -> None:
    text = mint().text
    assert len(text) == 56
    assert text.startswith("pali_")
    assert text.count("_") == 2
    assert set(text) <= set(BASE62 + "_")


def test_minted_keys_are_unique() -> None:
    minted = [mint() for _ in range(200)]
    assert len({key.public_id for key in minted}) == len({key.secret for key in minted}) == 200


@given(
    public_id=st.text(BASE62, min_size=12, max_size=12),
    secret=st.text(BASE62, min_size=32, max_size=32),
    place=st.integers(5, 55),
    letter=st.sampled_from(BASE62 + "_"),
)
def test_one_wrong_character_is_detected(public_id: str, secret: str, place: int, letter: str) -> None:
    text = KeyParts(public_id, secret).text
    changed = text[:place] + letter + text[place + 1 :]
    assert (parse(changed) is None) == (changed != text)


@given(st.text(max_size=80))
def test_arbitrary_text_is_not_a_key(text: str) -> None:
    assert parse(text) is None


@pytest.mark.parametrize("wrap", [" {}", "{} ", "{}\n", "{}\0", "x{}", "Bearer {}"])
def test_key_with_surrounding_text_is_not_a_key(wrap: str) -> None:
    assert parse(wrap.format(mint().text)) is None


def test_digits_of_other_scripts_are_refused() -> None:
    text = mint().text
    assert parse(text[:6] + "\u0663" + text[7:]) is None


def test_only_the_right_secret_and_pepper_match() -> None:
    stored = digest("secret", pepper="pepper")
    assert matches("secret", pepper="pepper", expected=stored)
    assert not matches("secret", pepper="other", expected=stored)
    assert not matches("Secret", pepper="pepper", expected=stored)
    assert not matches("secret", pepper="pepper", expected=b"")


def test_repr_does_not_show_the_secret() -> None:
    minted = mint()
    assert minted.secret not in repr(minted)
