"""The MOVA network: two video experts, an audio tower, the bridge, the audio VAE, and their layout on disk."""
