"""Files that keep arrays out of memory.

- `file_cache`: arrays of this process, in a file that disappears with it
- `mapped_file`: whether a mapped file is still the one that was checked
"""
