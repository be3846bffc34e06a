"""The web as gunicorn loads it."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "paliapi.settings")  # noqa: TID251  (Django wants it there)
application = get_wsgi_application()
