"""The WSGI application."""

import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "paliapi.settings")  # noqa: TID251  (Django wants it there)
application = get_wsgi_application()
# Loading the routes also compiles the search kernels, so that the first request does not wait for it.
loaded_routes = get_resolver().url_patterns
