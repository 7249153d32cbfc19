"""The commands, one a file: each collects its input, asks the library, and words the answer."""
