"""What Inductor's lowering is told about declared sizes.

Never here: anything that changes the meaning of a graph.
"""
