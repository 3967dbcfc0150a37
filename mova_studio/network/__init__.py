"""The MOVA network: two video experts, an audio tower, the bridge, the audio VAE, and their layout on disk."""

import logging

# On import bitsandbytes warns that a 4-bit CPU kernel, which we never call, is not installed.
logging.getLogger("bitsandbytes.backends.cpu.ops").setLevel(logging.ERROR)
