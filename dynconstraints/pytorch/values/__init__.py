"""The objects that carry a declaration: DynamicInt, DynamicFloat, named dimensions, and their arithmetic.

Never here: Dynamo, symbols, anything that exists only while a frame is traced.
"""
