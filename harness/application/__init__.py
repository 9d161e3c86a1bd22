"""The application under test: its functions, its callers, its requests."""
