"""This repository's own suites, and the issue tracker that they test."""
