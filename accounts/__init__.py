"""Users, API keys, quotas and rate limits, and the database transaction in which one owner's rows are visible."""
