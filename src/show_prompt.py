"""`python -m src.show_prompt` is `python -m src show-prompt`."""

import sys

from src.commands.show_prompt import main

if __name__ == "__main__":
    sys.exit(main())
