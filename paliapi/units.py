"""Units of size."""

MEBIBYTE = 1024 * 1024
