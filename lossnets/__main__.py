"""`python -m lossnets`: the command line."""

from lossnets.cli.main import main

main()
