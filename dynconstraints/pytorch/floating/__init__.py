"""Declared floats in a trace: tensors of one float64 instead of symbols, in every operation that takes a number.

``values`` is arithmetic on such numbers by the promotion rules of Python numbers, ``elementwise``, ``factories``,
``products``, ``attention``, ``lists``, ``activations``, ``normalizations``, ``losses`` and ``random`` are the
operations by family, ``kernels`` those that stay ``whole``, ``lowering`` finds the one for a node of the trace.
``domains`` are the numbers that an operation takes, ``conditions`` and ``intervals`` what the declaration says of
comparisons.

Where a graph with a changing number gives other results than eager, by the sweep of ``tests/float_operators.py``:

- In half precision Inductor holds what one operation hands to the next in single precision, with a constant as well.
- ``x + a*y``, ``addcmul`` and ``lerp`` round once in eager and twice in Inductor, with a constant as well.
- Products of matrices with factors are scaled after the product, and differ in the last bits; so do normalizations and
  losses, which are written out.
- Under Inductor a seed draws other numbers than in eager, with a constant as well, without its ``fallback_random``.
- Attention off the CPU, and inside of vmap, scales its queries first, in their type.
- A power in half precision whose gradient is asked for rounds as in eager; what surrounds it rounds as in Inductor.

A graph a value have operations that no tensor can do for a number: those with sizes in it (``interpolate``,
``arange``), those that draw at random by other functions than those of ``random``, ``out=`` arguments, what stays whole
inside of vmap and, but for attention, under autocast, and ``max(a, 1)`` where it matters that it may be an integer.
"""
