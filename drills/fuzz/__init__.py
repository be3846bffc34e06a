"""Coverage-guided fuzzing of the parsers of untrusted bytes that are part of this project: `make fuzz`."""
