"""The web server: gunicorn's processes, with an event loop that receives requests and sends responses.

Only complete requests occupy a thread. Other packages use `worker` (for gunicorn) and `limits`.
"""
