"""The studio: `python app.py` starts it, and nothing else is needed."""

from __future__ import annotations

import os
import sys

# Read by Gradio when it is imported: the studio tells nobody that it runs.
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"

from mova_studio.ui.launch import run

if __name__ == "__main__":
    sys.exit(run())
