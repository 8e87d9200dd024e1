"""`python -m src.status` is `python -m src status`."""

import sys

from src.commands.status import main
from src.common.console import carry_out

if __name__ == "__main__":
    sys.exit(carry_out(main))
