"""`python -m src.memory` is `python -m src memory`."""

import sys

from src.commands.memory import main

if __name__ == "__main__":
    sys.exit(main())
