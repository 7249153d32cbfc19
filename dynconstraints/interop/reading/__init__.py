"""The forms of others read: source text, whose syntax tree is looked at, and objects, by what their classes publish.

Never here: an import of torch or of another system, or a source that is run.
"""
