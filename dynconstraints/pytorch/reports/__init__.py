"""What a program was compiled under, which part of its declaration that serves, and what it could declare.

``explain`` runs the calls and gathers what torch compiled into the data of ``model``; ``coverage`` asks the solver who
serves what; ``text``, ``page`` and ``picture`` write it down. ``suggestion`` goes the other way, from guards to
constraints, with ``naming`` for the sizes of a call and ``generalise`` for the guards.
"""
