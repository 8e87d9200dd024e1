"""`python -m src.launch` is `python -m src launch`."""

import sys

from src.commands.launch import main

if __name__ == "__main__":
    sys.exit(main())
