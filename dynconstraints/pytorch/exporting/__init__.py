"""torch.export and AOTInductor under a declaration: it is traced as dynamic, carried, and enforced by what runs it.

Never here: wrapping of torch's functions (`install`).
"""
