"""The questions of `ConstraintSystem`, a file each.

Never here: how a single verdict is found (`portfolio`).
"""
