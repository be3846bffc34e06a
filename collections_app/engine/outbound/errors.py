"""Errors about requests to other servers."""

from paliapi.errors import Invalid, TooLarge, Unavailable


class FetchRefused(Invalid):
    # An unknown host name and one that resolves to a private address must be indistinguishable.
    code = "fetch_refused"
    title = "This URL does not point to a public web server, so it is not fetched."


class FetchFailed(Invalid):
    code = "fetch_failed"
    title = "The document could not be fetched from this URL."


class FetchTooLarge(TooLarge):
    code = "fetch_too_large"
    title = "The document at this URL is too large."


class FetchUnavailable(Unavailable):
    code = "fetch_unavailable"
    title = "The server at this URL cannot be reached or returned an error; try again."
