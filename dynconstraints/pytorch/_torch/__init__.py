"""What is private in torch, by part of torch, feature-detected; nothing else in the project names it.

Never here: anything about declarations or constraints.
"""

from dynconstraints.pytorch._torch import release as release  # first: it says what is wrong with the torch at hand
