"""How declared values enter a trace, live through graph breaks, and meet Python's own operations.

Never here: wrapping of torch's functions (`install`).
"""
