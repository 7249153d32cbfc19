"""Constraints in Python sources: found without running them, and looked over."""
