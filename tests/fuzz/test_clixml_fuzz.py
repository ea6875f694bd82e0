"""A short look by fuzzing at each change, and every find of longer ones."""

from __future__ import annotations

import random

import pytest

from tests.fuzz.clixml_mutations import documents, mutate
from tests.fuzz.clixml_target import check

ROOT = b'<Objs Version="1.1.0.1" xmlns="http://schemas.microsoft.com/powershell/2004/04">'

FINDS: dict[str, bytes] = {
    "a control character behind the document was lost between two pieces": ROOT + b"<I32>1</I32></Objs>\x01",
    "line ends before bytes that are no text were not counted": ROOT + b"\r<X>\r\xff",
    "an offset of more than 99 hours was written": ROOT + b"<DT>0001-01-01T00:00:00-99:99</DT></Objs>",
}
"""Inputs that fuzzing found, by what was wrong."""


@pytest.mark.parametrize("seed", range(4))
def test_mutated_documents_give_values_or_refusals(seed):
    source, known = random.Random(seed), documents()

    read = sum(check(mutate(source.choice(known), source)) for _ in range(100))

    assert 0 < read < 100


@pytest.mark.nightly
def test_a_minute_of_mutations():
    source, known = random.Random(), documents()
    for _ in range(20_000):
        check(mutate(source.choice(known), source))


@pytest.mark.parametrize("name", FINDS)
def test_finds_stay_mended(name):
    check(FINDS[name])
