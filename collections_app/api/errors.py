"""Errors about the shape of an API request."""

from paliapi.errors import Invalid, Unavailable


class NothingToChange(Invalid):
    code = "nothing_to_change"
    title = "The request contains no changes."


class SourceMissing(Invalid):
    code = "source_missing"
    title = "Send the document as `file`, `base64` or `url`."


class SourceAmbiguous(Invalid):
    code = "source_ambiguous"
    title = "Send the document as only one of `file`, `base64` or `url`."


class NameRepeated(Invalid):
    code = "name_repeated"
    title = "An earlier file of this request has the same name."


class IdempotencyKeyInvalid(Invalid):
    code = "idempotency_key_invalid"
    title = "An Idempotency-Key must have 1 to 255 printable ASCII characters."


class IdempotencyKeyReused(Invalid):
    code = "idempotency_key_reused"
    title = "This Idempotency-Key was already used for a different request."


class StreamsBusy(Unavailable):
    code = "streams_busy"
    title = "The server has no free event streams; poll the document instead, or try again."


class ConversionsBusy(Unavailable):
    code = "conversions_busy"
    title = "The server is converting other files; try again."


class QueryAmbiguous(Invalid):
    code = "query_ambiguous"
    title = "Send only one of `query`, `page` or `crop`."


class QueryOnlyAvoids(Invalid):
    code = "query_only_avoids"
    title = "At least one part of the query needs a weight above zero."


class RegionsOfTooMany(Invalid):
    code = "regions_of_too_many"
    title = "`regions` is limited to 20 hits; lower `top_k`."


class RankingWithoutScores(Invalid):
    code = "ranking_without_scores"
    title = "`min_score` cannot be combined with `ranking: lexical` or `allow_degraded`: word search has no scores."


class JobStatusInvalid(Invalid):
    code = "job_status_invalid"
    title = "Unknown job status."


class WebhookStatusInvalid(Invalid):
    code = "webhook_status_invalid"
    title = "Unknown delivery status."
