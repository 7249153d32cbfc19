"""The guards of a declared frame: the entry guard, merged shape guards, and the policies on guards that narrow.

Never here: decisions that no guard or entry check backs.
"""
