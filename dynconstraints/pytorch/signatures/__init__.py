"""Signatures and calls: which function or module has one, the values at its paths, and what they declare together.

Never here: Dynamo, symbols, anything that exists only while a frame is traced.
"""
