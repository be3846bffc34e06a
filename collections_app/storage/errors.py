"""Errors about stored files."""

from paliapi.errors import Conflict, Invalid, NotFound, Unavailable


class FileLinkExpired(NotFound):
    code = "file_link_invalid"
    title = "This link has expired or is invalid."


class StorageUnavailable(Unavailable):
    code = "storage_unavailable"
    title = "File storage is not available at the moment."


class BeingRecoded(Conflict):
    code = "being_recoded"
    title = "Another process is converting the vectors of this collection."


class FileMissing(Invalid):
    code = "file_missing"
    title = "The uploaded file is missing from storage; upload it again."
