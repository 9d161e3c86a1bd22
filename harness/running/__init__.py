"""One spec in one transaction: operations, seeds, and what came of them."""
