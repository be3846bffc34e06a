"""The URLs of the API's web server."""

from django.conf import settings
from django.urls import include, path, re_path

from paliapi import health, metrics
from paliapi.http import docs, markdown_pages, problems

urlpatterns = [
    path("favicon.ico", docs.icon),
    path("livez", health.livez, name="livez"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", metrics.view, name="metrics"),
    path("admin/", docs.admin),
    path("llms.txt", markdown_pages.llms_txt),
    re_path(r"^(?P<path>(?:docs|embeddings)/[\w/.-]+)$", markdown_pages.page),
    path("v1/docs", docs.swagger, name="swagger"),
    path("v1/docs/", docs.home),
    path("v1/docs/openapi.json", docs.OpenAPIView.as_view(), name="openapi"),
    path("v1/openapi.json", docs.OpenAPIView.as_view()),
    path("v1/docs/errors", docs.errors, name="errors"),
    path("v1/health/", health.HealthView.as_view(), name="getHealth"),
    path("v1/", include("accounts.urls")),
    path("v1/", include("collections_app.urls")),
    # Workers know the routes too, for links, but serve no pages: without them they need less memory.
    *([path("", include("console.urls"))] if settings.SERVES_PAGES else []),
]

handler400 = problems.bad_request
handler403 = problems.permission_denied
handler404 = problems.page_not_found
handler500 = problems.server_error
