"""The URLs of the admin's web server."""

from django.contrib import admin
from django.urls import path
from django.views.generic import RedirectView

from paliapi import health
from paliapi.http import docs, problems

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("favicon.ico", docs.icon),
    path("livez", health.livez, name="livez"),
    path("readyz", health.readyz, name="readyz"),
    path("admin/", admin.site.urls),
]

handler400 = problems.bad_request
handler403 = problems.permission_denied
handler404 = problems.page_not_found
handler500 = problems.server_error
