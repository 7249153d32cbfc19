"""Polynomials and terms over the integers: arithmetic, residues, positivity, values beyond every bound, definitions.

Never here: constraint systems or limits of a search.
"""
