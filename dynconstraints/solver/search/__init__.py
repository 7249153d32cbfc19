"""Strategies that look for a model or refute by exhaustion: boxes, residues, z3.

Never here: which of them runs when (`portfolio`).
"""
