"""Training: the recipe of the paper, adapters, and the toy world of the demo checkpoint."""
