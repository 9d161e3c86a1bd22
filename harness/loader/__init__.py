"""A path becomes validated specs: files read, parts merged, cases expanded, references checked."""

from harness.loader.files import LoadedSpec, load

__all__ = ["LoadedSpec", "load"]
