"""A small multi-tenant issue tracker: its tables as models, its rules in SQL."""
