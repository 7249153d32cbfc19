"""The language as frozen data: nodes, their meaning, and their text."""
