"""Errors about accepting, processing and re-embedding uploads."""

from paliapi.errors import Conflict, Invalid, LimitReached, Unavailable


class URLInvalid(Invalid):
    code = "url_invalid"
    title = "This is not a valid http or https URL."


class ArchiveTooLong(Invalid):
    code = "archive_too_long"
    title = "The archive has too many files; divide it."


class QueueFull(LimitReached):
    code = "queue_full"
    title = "Too many documents of this account wait to be processed."


class BeingReembedded(Conflict):
    code = "being_reembedded"
    title = "Another process is re-embedding this collection."


class StillInOldSpace(Conflict):
    code = "still_in_old_space"
    title = "New documents of the old model keep arriving; switch the workers to the new model first."


class NoPageUsable(Invalid):
    code = "no_page_usable"
    title = "No page of the file could be used."


class SpaceChanged(Unavailable):
    code = "space_changed"
    title = "The embeddings service changed its model during processing; processing starts over."


class TriedTooOften(Invalid):
    code = "tried_too_often"
    title = "Processing ended unexpectedly several times and will not be retried automatically."


class ProcessingFailed(Invalid):
    code = "processing_failed"
    title = "The document was stored, but processing failed."


class NothingToCancel(Conflict):
    code = "nothing_to_cancel"
    title = "This document is not being processed."


class NothingToRetry(Conflict):
    code = "nothing_to_retry"
    title = "The latest upload of this document has neither failed nor been cancelled."
