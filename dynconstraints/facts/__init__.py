"""Sound, solver-free abstract domains over named integers; an answer they give is never a guess."""
