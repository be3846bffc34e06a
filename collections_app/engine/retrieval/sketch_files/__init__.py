"""Files of sketches that all processes of a machine share.

- `block_file`: the format of a file, written once and never changed
- `shared_folder`: the files of each collection in one folder, for a process that searches
- `cleaning`: deletion of files that no process needs
"""
