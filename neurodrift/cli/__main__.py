"""``python -m neurodrift.cli``."""

import sys

from neurodrift.cli import main

sys.exit(main())
