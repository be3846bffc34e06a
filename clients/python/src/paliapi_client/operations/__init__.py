"""Every operation of the API, described once for both clients."""
