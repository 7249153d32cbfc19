"""A report as text, HTML and pictures.

Never here: judgements about graphs.
"""
