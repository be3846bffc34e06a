"""The WSGI application."""

import os

import django
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "paliapi.settings")  # noqa: TID251  (Django wants it there)
django.setup(set_prefix=False)

from paliapi.http.large_bodies import Application  # noqa: E402 - it needs the settings

application = Application()
# Loading the routes also compiles the search kernels, so that the first request does not wait for it.
loaded_routes = get_resolver().url_patterns
