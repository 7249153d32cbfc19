"""Say once what your dynamic sizes satisfy; learn what follows and what conflicts before anything compiles."""
