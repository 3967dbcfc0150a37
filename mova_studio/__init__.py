"""MOVA Studio: video with speech, sound effects and music, generated together on one GPU."""

__version__ = "0.1.0"
