"""Answers: satisfiable, implied, a minimal core, values; every one of them proved or confirmed by the evaluator."""
