"""Activity: what is being processed in the whole account, and what failed."""
