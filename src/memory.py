"""`python -m src.memory` is `python -m src memory`."""

import sys

from src.commands.memory import main
from src.common.console import carry_out

if __name__ == "__main__":
    sys.exit(carry_out(main))
