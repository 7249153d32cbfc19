"""Polynomials over the integers: arithmetic, residues, positivity, values beyond every bound.

Never here: constraint systems or limits of a search.
"""
