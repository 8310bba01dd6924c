"""``python -m serkit``: the command line."""

import sys

from serkit.cli import main

if __name__ == "__main__":
    sys.exit(main())
