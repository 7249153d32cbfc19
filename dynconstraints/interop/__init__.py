"""The forms of others, one file a target: a declaration written out for each, with what it cannot hold.

Never here: an import of torch or of another consumer at the top of a file; what is written is text.
"""
