"""The web as gunicorn loads it."""

import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "paliapi.settings")  # noqa: TID251  (Django wants it there)
application = get_wsgi_application()
# With them come the loops that search runs as machine code. Nobody's first request shall wait for all that.
loaded_routes = get_resolver().url_patterns
