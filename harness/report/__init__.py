"""What a run saw, made readable: for the terminal, and as a page."""
