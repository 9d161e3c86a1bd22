from __future__ import annotations

import pytest

from tests.suites.marks import Complaint, differences, marks

TEXT = """\
# Of no meaning: ^
name: x
# <- a key
  - sql: select 1
  #      ^ the statement
  # <- the dash
    expect: []
# at 9:2: the end
"""


def test_a_mark_points_at_a_place() -> None:
    assert marks(TEXT) == [
        Complaint(2, 1, "a key"),
        Complaint(4, 10, "the statement"),
        Complaint(4, 3, "the dash"),
        Complaint(9, 2, "the end"),
    ]


@pytest.mark.parametrize(
    ("mark", "covers"),
    [
        (Complaint(1, 2, "2 expected"), True),
        (Complaint(1, 2, "value … found"), True),
        (Complaint(1, 2, "found … value"), False),
        (Complaint(1, 2, "2 Expected"), False),
        (Complaint(1, 3, "2 expected"), False),
        (Complaint(2, 2, "2 expected"), False),
        (Complaint(1, 2, "value.* expected"), False),
    ],
)
def test_a_mark_has_the_place_and_a_part_of_the_text(mark: Complaint, covers: bool) -> None:
    assert mark.covers(Complaint(1, 2, "value: 2 expected, 1 found")) is covers


def test_each_mark_means_one_complaint() -> None:
    said = [Complaint(1, 1, "one"), Complaint(1, 1, "two")]
    assert differences([Complaint(1, 1, "two"), Complaint(1, 1, "one")], said) == []
    assert differences([Complaint(1, 1, "one")], said) == ["not marked: 1:1: two"]
    assert differences([*said, Complaint(1, 1, "one")], said) == ["not said: 1:1: one"]
