"""What torch compiles inside a block, under the name by which programs import it; see `install.observe`."""

from dynconstraints.pytorch.install.observe import observe

__all__ = ["observe"]
