"""Constraints on floats: real literals, and the queries over them.

Never here: integers.
"""
