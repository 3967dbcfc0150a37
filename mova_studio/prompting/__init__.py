"""The prompt: look at the first frame, rewrite, check."""
