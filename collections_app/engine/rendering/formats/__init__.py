"""The file formats that are accepted, one module for each format or family of formats.

To add a format, add a module here and one line to `registry`. `png` is the shortest example.
"""
