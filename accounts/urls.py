"""The URLs of keys and usage, below /v1/."""

from django.urls import path

from accounts import api

urlpatterns = [
    path("me/", api.MeView.as_view(), name="me"),
    path("usage/", api.UsageView.as_view(), name="usage"),
    path("keys/", api.KeysView.as_view(), name="keys"),
    path("keys/<int:key_id>/", api.KeyView.as_view(), name="key"),
    path("keys/<int:key_id>/rotate/", api.KeyRotationView.as_view(), name="keyRotation"),
]
