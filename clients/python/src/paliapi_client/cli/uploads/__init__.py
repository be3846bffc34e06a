"""What `pali up` does with files: select, compare, send, follow."""
