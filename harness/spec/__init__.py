"""The format of specs as models: frozen, closed to unknown keys, without I/O."""
