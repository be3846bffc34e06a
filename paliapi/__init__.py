"""The project: configuration, HTTP behaviour shared by all endpoints, health, metrics, logs, and the embedded stack."""
