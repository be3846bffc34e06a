"""The URLs of collections and documents. Names are in the query, because they may contain slashes."""

from urllib.parse import urlencode

from django.urls import reverse


def collection_url(name: str, *, route: str = "console-collection") -> str:
    return f"{reverse(route)}?{urlencode({'collection': name})}"


def document_url(*, collection: str, document: str, route: str = "console-document") -> str:
    return f"{reverse(route)}?{urlencode({'collection': collection, 'document': document})}"
