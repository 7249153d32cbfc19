"""Declared floats in a trace: tensors of one float64 instead of symbols, in every operation that takes a number.

``values`` is arithmetic on such numbers by the promotion rules of Python numbers, ``elementwise``, ``factories``,
``products`` and ``lists`` are the operations by family, ``lowering`` finds the one for a node of the trace.
"""
