"""`python -m osteon.cli`, the same as `osteon`."""

from osteon.cli import main

main()
