"""The operations that take a declared float, a file a family.

Never here: how the trace finds them (`floats/trace.py`).
"""
