"""Healing: a failing expectation and what was seen in, the edits that make it hold out."""

from harness.matching.healing.healer import Healer
from harness.matching.healing.repairs import Healing, Refusal
from harness.matching.healing.stability import Stability

__all__ = ["Healer", "Healing", "Refusal", "Stability"]
