"""Units of size, in bytes."""

MEBIBYTE = 1024 * 1024
