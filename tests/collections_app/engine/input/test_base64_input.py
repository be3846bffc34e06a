import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collections_app.engine.input import base64_input
from collections_app.engine.input.errors import Base64Invalid

INVALID = ["a", "aGVsbG8", "aGVs\nbG8=", "data:,aGVsbG8=", "aGVsbG8-", "====", "aG=s", "gr\u00fcn"]


@given(st.binary(min_size=1))
def test_both_decoders_reverse_the_encoding(content: bytes) -> None:
    text = base64.b64encode(content).decode()
    assert base64_input.decode(text, at="/x") == content
    assert b"".join(base64_input.decode_chunks(text, at="/x")) == content


def test_chunks_of_a_large_input_join_to_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base64_input, "_CHUNK", 8)
    chunks = list(base64_input.decode_chunks(base64.b64encode(bytes(range(256))).decode(), at="/x"))
    assert b"".join(chunks) == bytes(range(256))
    assert max(map(len, chunks)) == 6


@pytest.mark.parametrize("text", INVALID)
def test_invalid_base64_is_rejected_with_its_pointer(text: str) -> None:
    with pytest.raises(Base64Invalid) as caught:
        base64_input.decode(text, at="/images/2")
    assert caught.value.problems[0].pointer == "/images/2"
    with pytest.raises(Base64Invalid):
        list(base64_input.decode_chunks(text, at="/base64"))


def test_an_invalid_alphabet_is_noticed_before_the_first_chunk() -> None:
    with pytest.raises(Base64Invalid):
        base64_input.decode_chunks("aGVs!G8=", at="/base64")
