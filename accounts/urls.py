"""The addresses of keys and usage, below /v1/."""

from django.urls import path

from accounts import api

urlpatterns = [
    path("me/", api.Me.as_view(), name="me"),
    path("usage/", api.UsageView.as_view(), name="usage"),
    path("keys/", api.Keys.as_view(), name="keys"),
    path("keys/<int:key_id>/", api.Key.as_view(), name="key"),
    path("keys/<int:key_id>/rotate/", api.Rotation.as_view(), name="keyRotation"),
]
