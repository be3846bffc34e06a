"""Models of parts of the product that have tables of their own; `collections_app.models` has all others.

- `evaluations`: questions with judgements, and runs that measure rankings with them
"""
