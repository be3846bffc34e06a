"""The HTTP service: `app` builds the ASGI application, `engine` runs the model, `serve` listens on a port."""
