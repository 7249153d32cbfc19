"""Decides what torch asks about declared sizes and floats, without a guard where the declaration implies the answer.

Never here: premises that an entry does not check.
"""
