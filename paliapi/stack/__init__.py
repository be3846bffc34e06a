"""The embedded stack behind `make run`: Postgres, Redis, the embeddings service, the worker and the web server."""
