"""The start page."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from console.problem_pages import wants_page
from paliapi.http import docs


def home(request: HttpRequest) -> HttpResponse:
    """Lead people to the search, and programs to the description of the API."""
    return redirect("console-search") if wants_page(request) else docs.home(request)
