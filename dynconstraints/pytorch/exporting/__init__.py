"""torch.export and AOTInductor under a declaration: traced as dynamic, carried by the program, enforced by what runs it.

Never here: wrapping of torch's functions (`install`).
"""
