"""Every function of torch that is wrapped, put in place and undone.

Never here: what the wrappers decide; they hand over to the packages below.
"""
