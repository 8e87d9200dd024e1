"""`python -m src.compare` is `python -m src compare`."""

import sys

from src.commands.compare import main

if __name__ == "__main__":
    sys.exit(main())
