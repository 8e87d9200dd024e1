"""`python -m src.compare` is `python -m src compare`."""

import sys

from src.commands.compare import main
from src.common.console import carry_out

if __name__ == "__main__":
    sys.exit(carry_out(main))
