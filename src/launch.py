"""`python -m src.launch` is `python -m src launch`."""

import sys

from src.commands.launch import main
from src.common.console import carry_out

if __name__ == "__main__":
    sys.exit(carry_out(main))
