"""Errors as pages: what is wrong, and what to do next.

Views raise the same errors as those of the API. A browser that navigates gets a page, and a script the problem itself.
"""

import json
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

_PROBLEM = "application/problem+json"
_SECONDS = "Wait {} seconds, then reload the page."
_SAVE_AGAIN = "Save it again with another program, as a PDF if possible, then upload that."
_DIVIDE = "Divide it, or save it with smaller pages and images, then upload that."
# What to do next, by the code of the problem, else by its status.
_ADVICE = {
    "collection_name_taken": "Choose another name.",
    "collection_out_of_reach": "Sign in with a key that reaches this collection.",
    "confirmation_mismatch": "Type the name exactly as it is shown.",
    "conversion_failed": "Save it as a PDF with the program that it was made with, then upload that.",
    "converter_missing": "Save it as a PDF, then upload that.",
    "csrf_failed": "Go back, reload the page, and send the form again.",
    "document_moved": "Look for it in the collection that it was moved to.",
    "document_name_taken": "Choose another name, or delete the other document first.",
    "embeddings_unavailable": "Search by words meanwhile: choose the ranking “Words only”. Uploads continue later.",
    "embeddings_untrustworthy": "Ask the operator to look at the embeddings service. Search by words works meanwhile.",
    "expiry_in_the_past": "Choose a later date.",
    "fetch_failed": "Open the URL in a browser to check it, or upload the file itself.",
    "fetch_refused": "Upload the file itself.",
    "fetch_too_large": _DIVIDE,
    "file_damaged": _SAVE_AGAIN,
    "file_empty": "Choose another file.",
    "file_encrypted": "Save it without a password, then upload that.",
    "file_expands_too_much": _DIVIDE,
    "file_missing": "Upload the document again.",
    "file_without_pages": _SAVE_AGAIN,
    "metadata_too_large": "Shorten the metadata.",
    "name_invalid": "Choose another name.",
    "name_reserved": "Choose another name.",
    "no_page_usable": _SAVE_AGAIN,
    "no_room": "Ask the operator to free disk space, then upload it again.",
    "no_such_collection": "Choose one that exists, or create it under Collections first.",
    "nothing_chosen": "Tick the documents first.",
    "openid_failed": "Go back to the page for signing in, and try again.",
    "openid_unknown": "Ask the operator to invite you, or sign in at the provider with another address.",
    "page_not_searchable": "Search by words instead.",
    "page_too_large": _DIVIDE,
    "password_needed": "Sign out, then sign in with the password.",
    "query_mixes_spaces": "Leave out one part of the query.",
    "query_only_avoids": "Add words, an image or a page to look for.",
    "query_too_long": "Shorten the query, or leave out a part of it.",
    "queue_full": "Wait until documents that are in the queue are done, then upload the rest.",
    "quota_exceeded": "Delete documents that are no longer needed, or ask the operator for a larger quota.",
    "ranking_needs_words": "Add words to the query, or choose the ranking “By look and meaning”.",
    "render_crashed": _SAVE_AGAIN,
    "render_took_too_long": _DIVIDE,
    "render_took_too_much_memory": _DIVIDE,
    "reranker_missing": "Search again without the reranker.",
    "rights_exceeded": "Choose scopes, collections and an end that the key in use has as well.",
    "scope_missing": "Sign in with a key that has this scope.",
    "search_took_too_long": "Search fewer collections, or add a filter.",
    "too_many_evaluation_runs": "Create another evaluation with the same questions.",
    "too_many_evaluations": "Delete an evaluation that is no longer needed.",
    "too_many_keys": "Revoke a key that is no longer needed.",
    "too_many_pages": _DIVIDE,
    "too_many_webhooks": "Delete a webhook that is no longer needed.",
    "took_too_long": "Search fewer collections, or add a filter.",
    "tried_too_often": "Retry it. If it fails again, give the operator its name.",
    "unsupported_type": "Save it as a PDF or an image, then upload that.",
    "vectors_compact": "Upload its file to that collection, then delete it here.",
    "webhook_disabled": "Enable it, then send the message.",
    "webhook_url_refused": "Use the http or https URL of a public server, or ask the operator to permit its address.",
    "webhooks_out_of_reach": "Sign in with a key for all collections.",
}
_ADVICE_BY_STATUS = {
    400: "Go back and try again.",
    403: "Sign in with a key that permits it.",
    404: "It may have been deleted or renamed, or it belongs to another account.",
    409: "Reload the page to see the current state.",
    413: "Send less at once.",
    422: "Go back and correct what is named above.",
    429: "Wait a few seconds, then try again.",
    500: "Try again. If it happens again, give the operator the request id.",
    503: "Try again in a few seconds.",
}


def as_page(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """Return the response; in place of a problem, its page, if the request is one of a browser that navigates."""
    if not (isinstance(response, HttpResponse) and response.get("Content-Type") == _PROBLEM):
        return response
    if response.status_code == HTTPStatus.UNAUTHORIZED:
        return _sign_in(request, response)
    problem = json.loads(response.content)
    if not wants_page(request):
        if _is_from_page(request):
            response.content = json.dumps({**problem, "advice": advice(problem, response)}).encode()
            _correct_length(response)
        return response
    context = {"problem": problem, "advice": advice(problem, response), "title": problem["title"].rstrip(".")}
    page = render(request, "console/problem.html", context, status=response.status_code)
    for name, value in response.headers.items():
        page.headers.setdefault(name, value)
    page.cookies = response.cookies
    _correct_length(page)
    return page


def _correct_length(response: HttpResponse) -> None:
    """Replace the length of the problem, which would cut what the browser gets."""
    response["Content-Length"] = str(len(response.content))


def wants_page(request: HttpRequest) -> bool:
    """Return whether a browser navigates, as opposed to one of its scripts, or another program."""
    return "text/html" in request.headers.get("Accept", "") and "HX-Request" not in request.headers


def _is_from_page(request: HttpRequest) -> bool:
    """Return whether a script of one of our pages sent the request, which shows the advice."""
    return "HX-Request" in request.headers or "X-CSRFToken" in request.headers


def advice(problem: dict[str, Any], response: HttpResponse) -> str:
    """Return what to do next about a problem."""
    if retry_after := response.get("Retry-After"):
        return _SECONDS.format(retry_after)
    return _ADVICE.get(problem["code"]) or _ADVICE_BY_STATUS.get(problem["status"], "Go back and try again.")


def advice_for(code: str) -> str:
    """Return what to do about a document whose processing failed with this code, where there is more than to retry."""
    return _ADVICE.get(code, "")


def _sign_in(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """Lead a browser to the page for signing in, and back afterwards."""
    if "HX-Request" in request.headers:
        response["HX-Redirect"] = _sign_in_url(_on_this_host(request, request.headers.get("HX-Current-URL", "")))
        return response
    if not wants_page(request):
        return response
    # What a form does is done by the page that has it, where what was typed is shown again.
    sent_from = _on_this_host(request, request.headers.get("Referer", ""))
    return redirect(_sign_in_url(request.get_full_path() if request.method == "GET" else sent_from))


def _on_this_host(request: HttpRequest, url: str) -> str:
    """Return path and query of a URL of this server; nothing for another one."""
    if not url_has_allowed_host_and_scheme(url, {request.get_host()}):
        return ""
    parts = urlsplit(url)
    local = urlunsplit(("", "", parts.path, parts.query, ""))
    return local if url_has_allowed_host_and_scheme(local, None) else ""


def _sign_in_url(after: str) -> str:
    url = reverse("console-sign-in")
    return f"{url}?{urlencode({'next': after})}" if after not in ("", "/") else url
