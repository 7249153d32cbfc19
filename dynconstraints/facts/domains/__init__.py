"""Abstract domains, a file each, with its meaning as a set of integers.

Never here: one domain that knows another (`product`).
"""
