"""The HTTP API: one module for each resource, and what several of them share.

A view checks the shape of a request, calls one operation of the product, and represents the result. Modules named
`*_in` and `*_out` define request and response bodies.
"""
