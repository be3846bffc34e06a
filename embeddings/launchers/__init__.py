"""Entry points for rented platforms: `runpod_handler`, `modal_app`, and `healthcheck` for containers."""
