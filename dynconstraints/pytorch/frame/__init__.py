"""What one traced frame knows: names met, the lattice and its parameters, constraints in force, the bridge to sympy.

Never here: hooks into torch, or decisions about guards.
"""
