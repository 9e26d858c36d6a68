"""Texts get the same number exactly when they are the same."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from permmigrate.snapshot import texts as subject
from permmigrate.snapshot.texts import WIDEST, Ints, ManyNumbers

WORDS = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=40).map(str.encode)
FEW = st.sampled_from([b"a", b"aa", b"a" * 8, b"a" * 9, b"b" + b"a" * 8, b"a" * 256])


class Looks(list[bytes]):
    """Numbers texts as they come, and remembers them; refuses some."""

    def __call__(self, text: bytes) -> int:
        if b"!" in text:
            raise ValueError("refused")
        self.append(text)
        return len(self) - 1


def numbered(numbers: ManyNumbers, texts: list[bytes]) -> Ints:
    lines = b"~".join([b"", *texts, b""])
    lengths = np.array([len(text) for text in texts], dtype=np.intp)
    starts = np.cumsum(np.append(0, lengths[:-1] + 1)) + 1
    padded = np.frombuffer(lines + bytes(WIDEST), dtype=np.uint8)
    return numbers.between(lines, padded, starts, starts + lengths)


@pytest.fixture(scope="module", params=["spread", "alike"])
def hashes(request: pytest.FixtureRequest) -> Iterator[None]:
    """Once as it is, and once with the same hash for all texts."""
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "alike":
            patch.setattr(subject, "_SPREAD", np.zeros_like(subject._SPREAD))
        yield


@given(st.lists(st.lists(WORDS | FEW, min_size=1, max_size=40), min_size=1, max_size=6))
def test_numbers_are_those_of_a_dictionary(hashes: None, batches: list[list[bytes]]) -> None:
    """Each text is looked at once; a number stands for one text, in whatever batch and with whatever hash."""
    looks = Looks()
    numbers = ManyNumbers(looks)
    refused = {text for batch in batches for text in batch if b"!" in text}

    for batch in batches:
        if refused & set(batch):
            with pytest.raises(ValueError, match="refused"):
                numbered(numbers, batch)
        else:
            assert batch == [looks[number] for number in numbered(numbers, batch).tolist()]

    assert len(set(looks)) == len(looks)


def test_many_texts_are_told_apart(hashes: None) -> None:
    """More texts than there are places at first, most of which differ in their last byte only."""
    batches = [[b"principal %d" % number for number in range(at, at + 400)] for at in range(0, 1200, 300)]
    looks = Looks()
    numbers = ManyNumbers(looks)

    found = [numbered(numbers, batch).tolist() for batch in batches * 2]

    assert batches * 2 == [[looks[number] for number in each] for each in found]
    assert 1300 == len(looks)


@pytest.mark.parametrize("text", [b"", b"a" * 257])
def test_texts_of_other_lengths_are_refused(text: bytes) -> None:
    """An empty text and a long one are for somebody else; nothing is numbered then."""
    looks = Looks()
    numbers = ManyNumbers(looks)

    with pytest.raises(ValueError, match="long"):
        numbered(numbers, [b"x", text])

    assert [] == looks
    assert [0, 1, 0] == numbered(numbers, [b"x", b"a" * 256, b"x"]).tolist()
