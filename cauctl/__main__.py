"""``python -m cauctl`` is the command ``cauctl``."""

from cauctl.cli import main

if __name__ == "__main__":
    main()
