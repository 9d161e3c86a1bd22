"""A path becomes validated specs: files read, parts merged, cases expanded, references checked."""

from harness.loader.cases import Case
from harness.loader.files import LoadedSpec, Origin, assembled, load, refuse_part, specs_of
from harness.loader.parts import Layer, Parts, part_layer, suite_layer

__all__ = [
    "Case",
    "Layer",
    "LoadedSpec",
    "Origin",
    "Parts",
    "assembled",
    "load",
    "part_layer",
    "refuse_part",
    "specs_of",
    "suite_layer",
]
