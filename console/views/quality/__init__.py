"""Pages of quality: how much of what an exact search would find the searches found, by collection and day."""
