"""`python -m mova_studio`."""

import sys

from mova_studio.cli import main

sys.exit(main())
