"""The product: collections of documents, their ingestion and their search.

The modules at this level are those that Django looks for, and those that several packages share. `catalogue` has the
operations on collections and documents; each package describes its modules in its own docstring.
"""
