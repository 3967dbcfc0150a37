"""Clips to train on: found, cut, decoded, measured, and kept as latents."""
