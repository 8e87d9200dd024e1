"""`python -m src.sweep` is `python -m src sweep`."""

import sys

from src.commands.sweep import main
from src.common.console import carry_out

if __name__ == "__main__":
    sys.exit(carry_out(main))
