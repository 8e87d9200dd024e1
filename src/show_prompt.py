"""`python -m src.show_prompt` is `python -m src show-prompt`."""

import sys

from src.commands.show_prompt import main
from src.common.console import carry_out

if __name__ == "__main__":
    sys.exit(carry_out(main))
