"""The worker's database: one for each worker, ever, shared by all of its specs."""
