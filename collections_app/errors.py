"""Errors about collections, documents and pages. The kinds of error are in `paliapi.errors`.

Each package has its own `errors` module; these are shared by several.
"""

from paliapi.errors import Conflict, Forbidden, Invalid, NotFound, TooLarge, Unavailable


class CollectionNotFound(NotFound):
    code = "collection_not_found"
    title = "Collection not found."


class CollectionNameTaken(Conflict):
    code = "collection_name_taken"
    title = "A collection with this name already exists."


class CollectionOutOfReach(Forbidden):
    code = "collection_out_of_reach"
    title = "This key is restricted to other collections."


class DocumentNotFound(NotFound):
    code = "document_not_found"
    title = "Document not found."


class DocumentAmbiguous(Conflict):
    code = "document_ambiguous"
    title = "Several collections have a document with this name; name the collection."


class DocumentNameTaken(Conflict):
    code = "document_name_taken"
    title = "The collection already has a document with this name."


class DocumentMoved(Conflict):
    code = "document_moved"
    title = "The document was moved to another collection at this moment; look for it there."


class VectorsCompact(Conflict):
    code = "vectors_compact"
    title = "A document with compact vectors cannot be moved to a collection that stores full ones."


class PageNotFound(NotFound):
    code = "page_not_found"
    title = "Page not found."


class AnswerTooLarge(TooLarge):
    code = "answer_too_large"
    title = "The response would be too large; request fewer items with `limit`."


class EmbeddingsUnavailable(Unavailable):
    code = "embeddings_unavailable"
    title = "Failed to get embeddings from the embeddings service."


class EmbeddingsUntrustworthy(Unavailable):
    code = "embeddings_untrustworthy"
    title = "The embeddings service returned an unusable response."


class RerankerMissing(Conflict):
    code = "reranker_missing"
    title = "The embeddings service has no reranker; leave out `rerank`."


class InputNotEmbeddable(Invalid):
    code = "input_not_embeddable"
    title = "The embeddings service cannot read this input."
