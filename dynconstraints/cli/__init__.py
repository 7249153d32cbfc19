"""The command line: arguments in, exit code and rendered findings out."""

from __future__ import annotations


def main() -> None:
    """Run the command that ``sys.argv`` names and exit: 0 it holds, 1 it does not, 2 usage or syntax, 3 unknown."""
    import gc

    # More objects than a short run makes, little for a long one: no looking for garbage while modules are loaded.
    gc.set_threshold(50_000)

    from dynconstraints.cli.app import run

    run()
