"""What a function declares of its arguments: the texts of their shapes, by path, and the constraints over the names.

Never here: torch, or a value of a call.
"""
