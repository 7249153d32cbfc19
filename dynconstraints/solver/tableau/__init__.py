"""The tableau: case distinctions of one query, branch by branch, each closed, proved open, or undecided.

Never here: z3.
"""
