"""Checks on what a request contains: plain values in, checked values or typed errors out.

- `base64_input`: decode base64
- `errors`: what is wrong with a request
- `filter_conditions`: the conditions of a filter, as values
- `filter_parser`: the filter language
- `jsonb`: what a jsonb column can store
- `metadata`: metadata objects
- `names`: names of collections and documents
"""
