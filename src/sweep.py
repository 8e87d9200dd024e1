"""`python -m src.sweep` is `python -m src sweep`."""

import sys

from src.commands.sweep import main

if __name__ == "__main__":
    sys.exit(main())
