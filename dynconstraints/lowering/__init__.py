"""The IR in other notations: z3, sympy, Python."""
