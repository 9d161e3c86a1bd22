"""Altering any literal of a passing expectation makes its spec fail: nothing passes by accident.

This tries a sample; `python -m tests.mutation` tries every mutation, which takes a few minutes.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from harness.results import Status
from tests.mutation.suites import SUITES, opened
from tests.mutation.trial import Trial

SAMPLE = 300
"""Mutations of each suite that are tried."""


@pytest.fixture(scope="module", params=SUITES)
def trial(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Trial]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HARNESS_TEST", "from outside")
        with opened(request.param, tmp_path_factory.mktemp("mutation")) as trial:
            yield trial


def test_the_originals_pass(trial: Trial) -> None:
    assert [
        str(subject) for subject in trial.subjects() if Status.FAILED in trial.statuses(subject)
    ] == []


def test_no_mutant_passes(trial: Trial) -> None:
    sample = random.Random(SAMPLE).sample(trial.mutants(), SAMPLE)
    survivors = [
        (subject, mutation) for subject, mutation in sample if trial.survives(subject, mutation)
    ]
    assert [f"{subject}: {mutation}" for subject, mutation in survivors] == []
