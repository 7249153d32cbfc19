"""From the guards of observed calls to declarations that a program could make.

Never here: rendering.
"""
