"""`python -m mofang` is the `mofang` command."""

from mofang.cli import main

main()
