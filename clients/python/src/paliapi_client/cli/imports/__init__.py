"""Sources that `pali import` reads."""
