"""Declared floats in a trace: tensors of one float64 instead of symbols, in every operation that takes a number.

Eager's numbers are the measure. A call stays ``whole``, so that eager's own kernel computes it or refuses it, unless
arithmetic on tensors is known to give the same bits: ``values`` is that arithmetic, by the promotion rules of Python's
numbers. For Inductor, whose kernels fuse arithmetic alone, whole calls are written out where they can be:
``elementwise``, ``powers``, ``activations``, ``normalizations``, ``losses``, ``products``, ``random`` and ``lists``
have the arithmetic; what ``kernels`` has stays whole under Inductor as well. Inside of vmap and its like nothing stays
whole, and the arithmetic is in the graph itself. ``factories`` fill tensors, ``attention`` has a fused kernel of its
own. ``lowering`` finds what stands for a node of the trace; ``domains`` are the numbers that an operation takes,
``conditions`` and ``intervals`` what the declaration says of comparisons.

Where a graph with a changing number gives other results than eager, by the sweep of ``tests/float_operators.py``:

- In half precision Inductor holds what one operation hands to the next in single precision, with a constant as well.
- ``x + a*y``, ``addcmul`` and ``lerp`` round once in eager and twice in Inductor, with a constant as well.
- Under Inductor, and inside of vmap, products of matrices with factors are scaled after the product, and differ in the
  last bits; so do normalizations and losses.
- ``_foreach_lerp_`` is taken apart by Dynamo, which rounds in between, with a constant as well.
- Under Inductor a seed draws other numbers than in eager, with a constant as well, without its ``fallback_random``.
- Attention off the CPU, and inside of vmap, scales its queries first, in their type.

A graph a value have operations that no tensor can do for a number: those with sizes in it (``interpolate``,
``arange``), those that draw at random by other functions than those of ``random``, ``out=`` arguments, what ``kernels``
has inside of vmap, what a type cannot hold, and ``max(a, 1)`` where it matters that it may be an integer.

Never here: integers and sizes.
"""
