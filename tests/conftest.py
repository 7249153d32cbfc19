"""Shared test set-up: Hypothesis profiles. `nightly` runs many more examples: HYPOTHESIS_PROFILE=nightly.

Where torch is not installed, what needs it is left out, and the head of the report says so.
"""

import os
from importlib.util import find_spec

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("default", deadline=None, max_examples=100, derandomize=True)
settings.register_profile("nightly", deadline=None, max_examples=10_000, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))

HAS_TORCH = find_spec("torch") is not None
NEEDS_TORCH = ["pytorch/*", "cli/test_cli_explain.py", "test_examples.py", "test_readme.py"]
collect_ignore_glob = [] if HAS_TORCH else NEEDS_TORCH


def pytest_report_header():
    """What is left out, and why."""
    return None if HAS_TORCH else f"torch is not installed: without {', '.join(NEEDS_TORCH)}"


def pytest_collection_modifyitems(items):
    """Tests marked with ``torch``, in files that otherwise need none, are skipped without it.

    The examples take longest, and go first: with two processes the other one would have nothing to do at the end.
    """
    items.sort(key=lambda item: item.path.name != "test_examples.py")
    for item in items:
        if not HAS_TORCH and item.get_closest_marker("torch"):
            item.add_marker(pytest.mark.skip(reason="torch is not installed"))
