"""The reduced product of the domains: constraints in normal form, and what follows from all of them together.

Never here: search or z3 (`dynconstraints.solver`).
"""
