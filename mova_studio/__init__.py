"""MOVA Studio: video with speech, sound effects and music, generated together on one GPU."""

import logging

__version__ = "0.1.0"

# On import bitsandbytes warns that a 4-bit CPU kernel, which nothing here calls, is not installed.
logging.getLogger("bitsandbytes.backends.cpu.ops").setLevel(logging.ERROR)
