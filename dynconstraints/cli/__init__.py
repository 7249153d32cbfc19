"""The command line: arguments in, exit code and rendered findings out."""

from __future__ import annotations


def main() -> None:
    """Run the command that ``sys.argv`` names and exit: 0 it holds, 1 it does not, 2 usage or syntax, 3 unknown."""
    from dynconstraints.cli.app import run

    run()
