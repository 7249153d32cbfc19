"""What users declare: declarations, scopes, checks of values against them, and the errors of both.

Never here: Dynamo, symbols, anything that exists only while a frame is traced.
"""
