"""``python -m hanse``."""

from hanse.cli.main import main

main()
