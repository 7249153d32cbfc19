"""Source text, spans, the exception tree, and how a diagnostic is shown."""
