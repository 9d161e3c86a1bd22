"""Tests of harness.matching."""
