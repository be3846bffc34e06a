"""Environment variables: declaring settings, finding their values and parsing them."""
