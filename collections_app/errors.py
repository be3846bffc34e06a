"""What can go wrong with collections, documents and their files. The kinds are in `paliapi.errors`."""

from paliapi.errors import Conflict, Forbidden, Invalid, LimitReached, NotFound, TooLarge, Unavailable


class NameInvalid(Invalid):
    code = "name_invalid"
    title = "This name cannot be used."


class NameReserved(Invalid):
    code = "name_reserved"
    title = "This name means something else to the API."


class CollectionNotFound(NotFound):
    code = "collection_not_found"
    title = "There is no such collection."


class CollectionNameTaken(Conflict):
    code = "collection_name_taken"
    title = "There is a collection of that name already."


class CollectionOutOfReach(Forbidden):
    code = "collection_out_of_reach"
    title = "This key is limited to other collections."


class DocumentNotFound(NotFound):
    code = "document_not_found"
    title = "There is no such document."


class DocumentAmbiguous(Conflict):
    code = "document_ambiguous"
    title = "Several collections have a document of that name; say which one."


class DocumentNameTaken(Conflict):
    code = "document_name_taken"
    title = "The collection has a document of that name already."


class PageNotFound(NotFound):
    code = "page_not_found"
    title = "There is no such page."


class FileLinkExpired(NotFound):
    code = "file_link_invalid"
    title = "This link has expired or is not one of ours."


class StorageUnavailable(Unavailable):
    code = "storage_unavailable"
    title = "Files cannot be stored at the moment."


class NothingToChange(Invalid):
    code = "nothing_to_change"
    title = "Nothing to change was sent."


class SourceMissing(Invalid):
    code = "source_missing"
    title = "Send the document as `file`, `base64` or `url`."


class SourceAmbiguous(Invalid):
    code = "source_ambiguous"
    title = "Send the document in one way only: `file`, `base64` or `url`."


class Base64Invalid(Invalid):
    code = "base64_invalid"
    title = "This is not base64 in the standard alphabet."


class URLInvalid(Invalid):
    code = "url_invalid"
    title = "This is not an http or https URL."


class FetchRefused(Invalid):
    # A name that is not there and one that leads into a private network must read the same.
    code = "fetch_refused"
    title = "This URL does not lead to a public web server, so it is not fetched."


class FetchFailed(Invalid):
    code = "fetch_failed"
    title = "The document could not be fetched from this URL."


class FetchTooLarge(TooLarge):
    code = "fetch_too_large"
    title = "The document behind this URL is too large."


class FetchUnavailable(Unavailable):
    code = "fetch_unavailable"
    title = "The server of this URL cannot be reached, or did not answer as it should; try again."


class AnswerTooLarge(TooLarge):
    code = "answer_too_large"
    title = "The answer would be too large; ask for fewer documents with `limit`."


class IdempotencyKeyInvalid(Invalid):
    code = "idempotency_key_invalid"
    title = "An Idempotency-Key has 1 to 255 printable ASCII characters."


class IdempotencyKeyReused(Invalid):
    code = "idempotency_key_reused"
    title = "This Idempotency-Key was used for another request."


class MetadataInvalid(Invalid):
    code = "metadata_invalid"
    title = "The metadata cannot be kept as it is."


class MetadataTooLarge(TooLarge):
    code = "metadata_too_large"
    title = "The metadata is too large."


class FilterInvalid(Invalid):
    code = "filter_invalid"
    title = "The filter is not valid."


class FileEmpty(Invalid):
    code = "file_empty"
    title = "The file is empty."


class UnsupportedType(Invalid):
    code = "unsupported_type"
    title = "Files of this type are not accepted."


class FileDamaged(Invalid):
    code = "file_damaged"
    title = "The file is damaged and cannot be read."


class FileExpandsTooMuch(TooLarge):
    code = "file_expands_too_much"
    title = "The file holds too much once it is unpacked."


class FileEncrypted(Invalid):
    code = "file_encrypted"
    title = "The file is protected by a password; send it without one."


class FileWithoutPages(Invalid):
    code = "file_without_pages"
    title = "The file has no pages."


class TooManyPages(TooLarge):
    code = "too_many_pages"
    title = "The file has too many pages."


class PageTooLarge(TooLarge):
    code = "page_too_large"
    title = "A page of the file is too large to be drawn."


class RenderTookTooLong(TooLarge):
    code = "render_took_too_long"
    title = "Drawing the pages of the file took too long."


class RenderTookTooMuchMemory(TooLarge):
    code = "render_took_too_much_memory"
    title = "Drawing the pages of the file took too much memory."


class RenderCrashed(Invalid):
    code = "render_crashed"
    title = "Drawing the pages of the file failed; it is damaged or asks for too much."


class ConverterMissing(Invalid):
    code = "converter_missing"
    title = "Office files cannot be read here, because LibreOffice is not installed; send a PDF."


class ConversionFailed(Invalid):
    code = "conversion_failed"
    title = "LibreOffice cannot turn the file into pages; it is damaged or asks for too much."


class RenderUnavailable(Unavailable):
    code = "render_unavailable"
    title = "The pages of the file cannot be drawn at the moment; try again."


class BeingReembedded(Conflict):
    code = "being_reembedded"
    title = "This collection is being embedded anew by somebody else."


class StillInOldSpace(Conflict):
    code = "still_in_old_space"
    title = "Documents of the old model keep coming in; let the workers use the new one first."


class NoPageUsable(Invalid):
    code = "no_page_usable"
    title = "Not one page of the file could be used."


class FileMissing(Invalid):
    code = "file_missing"
    title = "The uploaded file is missing from storage; send it again."


class SpaceChanged(Unavailable):
    code = "space_changed"
    title = "The embeddings service changed its model while the document was processed; it begins again."


class TriedTooOften(Invalid):
    code = "tried_too_often"
    title = "Processing ended unexpectedly several times, so it is not tried again by itself."


class ProcessingFailed(Invalid):
    code = "processing_failed"
    title = "The document was stored, but could not be processed."


class NothingToCancel(Conflict):
    code = "nothing_to_cancel"
    title = "Nothing is being processed for this document."


class StreamsBusy(Unavailable):
    code = "streams_busy"
    title = "The server sends as many streams as it can; ask for the document instead, or try again."


class JobStatusInvalid(Invalid):
    code = "job_status_invalid"
    title = "There is no such state of a job."


class NothingToRetry(Conflict):
    code = "nothing_to_retry"
    title = "The newest content of this document has not failed and was not cancelled."


class PageNotSearchable(Conflict):
    code = "page_not_searchable"
    title = "This page has no vectors, so nothing can be compared with it."


class PageWithoutLayout(Conflict):
    code = "page_without_layout"
    title = "It is not known where on this page its vectors come from, so no part of it can be taken."


class CropEmpty(Invalid):
    code = "crop_empty"
    title = "Nothing of this page lies in the box."


class SearchTookTooLong(Unavailable):
    code = "search_took_too_long"
    title = "The search took too long and was given up; narrow it down, or leave out `mode: exact`."


class QueryAmbiguous(Invalid):
    code = "query_ambiguous"
    title = "Ask in one way only: `query`, `page` or `crop`."


class QueryMixesSpaces(Conflict):
    code = "query_mixes_spaces"
    title = "The parts of the query were made with different models."


class QueryTooLong(TooLarge):
    code = "query_too_long"
    title = "The query has too many vectors."


class QueryOnlyAvoids(Invalid):
    code = "query_only_avoids"
    title = "At least one part of the query needs a weight above zero."


class RegionsOfTooMany(Invalid):
    code = "regions_of_too_many"
    title = "Regions are told of at most 20 hits; ask for fewer with `top_k`."


class RankingNeedsWords(Invalid):
    code = "ranking_needs_words"
    title = "Only a question with words can be ranked by words."


class RankingWithoutScores(Invalid):
    code = "ranking_without_scores"
    title = "An answer by words alone has no scores that `min_score` could be compared with."


class EmbeddingsUnavailable(Unavailable):
    code = "embeddings_unavailable"
    title = "Failed to get embeddings from the embeddings service."


class EmbeddingsUntrustworthy(Unavailable):
    code = "embeddings_untrustworthy"
    title = "The embeddings service answers with something that cannot be used."


class InputNotEmbeddable(Invalid):
    code = "input_not_embeddable"
    title = "The embeddings service cannot read this input."


class WebhookNotFound(NotFound):
    code = "webhook_not_found"
    title = "There is no such webhook."


class WebhookDeliveryNotFound(NotFound):
    code = "webhook_delivery_not_found"
    title = "There is no such delivery."


class WebhooksOutOfReach(Forbidden):
    code = "webhooks_out_of_reach"
    title = "Webhooks tell of all collections; this key is limited to some."


class WebhookURLRefused(Invalid):
    code = "webhook_url_refused"
    title = "Nothing is sent to this URL: it must lead to a public web server, at a port that webhooks may use."


class WebhookDisabled(Conflict):
    code = "webhook_disabled"
    title = "This webhook is disabled; enable it first."


class WebhookStatusInvalid(Invalid):
    code = "webhook_status_invalid"
    title = "There is no such state of a delivery."


class TooManyWebhooks(LimitReached):
    code = "too_many_webhooks"
    title = "This account has as many webhooks as it may have; delete some."
