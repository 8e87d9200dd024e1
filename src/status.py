"""`python -m src.status` is `python -m src status`."""

import sys

from src.commands.status import main

if __name__ == "__main__":
    sys.exit(main())
