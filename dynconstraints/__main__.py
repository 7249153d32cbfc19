"""`python -m dynconstraints`: the command line."""

from dynconstraints.cli import main

if __name__ == "__main__":
    main()
