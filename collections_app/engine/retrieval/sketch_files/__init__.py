"""Files of sketches that all processes of a machine share.

- `mapped_file`: whether a mapped file is still the one that was checked
- `block_file`: the format of a file, written once and never changed
- `shared_folder`: the files of each collection in one folder, for a process that searches
- `cleaning`: deletion of files that no process needs
"""
