"""`explain` and `suggest`: what was compiled, under which guards, which part of the domain that serves.

Never here: anything that changes how a user's program compiles.
"""
