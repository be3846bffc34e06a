"""The tables of collections, documents and pages. Every row of an owner names the owner, as does every query."""

from datetime import timedelta
from typing import Any, ClassVar, Self

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from accounts.access import Caller
from collections_app import webhook_models  # noqa: F401 - Django discovers only this module
from collections_app.engine.input.names import ALL_COLLECTIONS
from collections_app.owned import LeasedModel, LeasedQuerySet, Owned
from collections_app.tables import evaluations  # noqa: F401 - as above
from paliapi.units import MAX_NAME_LENGTH


def _is_storable(name: str) -> bool:
    """Check that a query can contain the name: Postgres accepts no NUL in text, so no row has such a name."""
    return "\x00" not in name


class CollectionQuerySet(models.QuerySet["Collection"]):
    def visible_to(self, caller: Caller) -> Self:
        """Return the collections of the caller's owner that the caller's key reaches."""
        rows = self.filter(owner_id=caller.owner_id)
        return rows if caller.collections is None else rows.filter(name__in=caller.collections)

    def named(self, name: str) -> Self:
        return self.filter(name=name) if _is_storable(name) else self.none()

    def with_counts(self) -> Self:
        return self.annotate(num_documents=models.Count("documents"))


class Collection(Owned):
    """Documents that are searched together."""

    name = models.CharField(max_length=MAX_NAME_LENGTH)
    metadata = models.JSONField(default=dict, blank=True)
    size = models.BigIntegerField(
        default=0, db_default=0, editable=False, help_text="Bytes of metadata that count towards the owner's quota."
    )
    vectors_seq = models.BigIntegerField(
        default=0, editable=False, help_text="Increases with every change of what can be searched."
    )
    sketches_seq = models.BigIntegerField(
        default=0, editable=False, help_text="The value of `vectors_seq` when existing sketches were last rebuilt."
    )
    vector_storage = models.CharField(max_length=7, default="full", db_default="full", editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = CollectionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["owner", "name"], name="collection_name_per_owner"),
            models.UniqueConstraint(fields=["owner", "id"], name="collection_owner_id"),
            models.CheckConstraint(condition=Q(vector_storage__in=["full", "compact"]), name="collection_storage"),
        ]
        indexes = [GinIndex(fields=["metadata"], name="collection_metadata")]

    def __str__(self) -> str:
        return self.name


class StoredFile(Owned):
    """A file in storage, stored once for each owner and content. `key` is never reused after the row is deleted."""

    sha256 = models.CharField(max_length=64)
    key = models.CharField(max_length=200, unique=True)
    size = models.BigIntegerField()
    content_type = models.CharField(max_length=127)
    thumbnail_size = models.PositiveIntegerField(
        default=0, help_text="Size of the thumbnail in bytes. 0: no thumbnail."
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    wanted_at = models.DateTimeField(
        db_default=Now(),
        editable=False,
        help_text="When the file was last needed. An unused file is kept for a while after this time.",
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["owner", "sha256"], name="file_content_per_owner"),
            models.UniqueConstraint(fields=["owner", "id"], name="file_owner_id"),
        ]

    def __str__(self) -> str:
        return f"{self.sha256[:12]} ({self.content_type})"


class DocumentQuerySet(models.QuerySet["Document"]):
    def visible_to(self, caller: Caller) -> Self:
        rows = self.filter(owner_id=caller.owner_id)
        return rows if caller.collections is None else rows.filter(collection__name__in=caller.collections)

    def in_collection(self, collection_name: str) -> Self:
        """Return the documents of one collection, or of every collection if the name is `all`."""
        if not _is_storable(collection_name):
            return self.none()
        return self if collection_name == ALL_COLLECTIONS else self.filter(collection__name=collection_name)

    def named(self, name: str) -> Self:
        return self.filter(name=name) if _is_storable(name) else self.none()

    def with_state(self) -> Self:
        """Join everything that a response about a document needs."""
        return self.select_related("collection", "shown__file", "latest__file")


class Document(Owned):
    """A named document in a collection. It shows one revision while a newer one, `latest`, may be in processing."""

    collection = models.ForeignKey(
        Collection, on_delete=models.DO_NOTHING, related_name="documents", db_constraint=False
    )
    name = models.CharField(max_length=MAX_NAME_LENGTH)
    metadata = models.JSONField(default=dict, blank=True)
    shown = models.ForeignKey(
        "Revision", on_delete=models.DO_NOTHING, null=True, blank=True, related_name="+", db_constraint=False
    )
    latest = models.ForeignKey(
        "Revision", on_delete=models.DO_NOTHING, null=True, blank=True, related_name="+", db_constraint=False
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = DocumentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["collection", "name"], name="document_name_per_collection"),
            models.UniqueConstraint(fields=["owner", "id"], name="document_owner_id"),
        ]
        indexes = [
            GinIndex(fields=["metadata"], name="document_metadata"),
            models.Index(fields=["owner", "name"], name="document_owner_name"),
        ]

    def __str__(self) -> str:
        return self.name


class Status(models.TextChoices):
    """The state of a revision on its way to being searchable."""

    QUEUED = "queued"
    FETCHING = "fetching"
    RENDERING = "rendering"
    EMBEDDING = "embedding"
    READY = "ready"
    FAILED = "failed"
    CANCELLED = "cancelled"


class OnPageError(models.TextChoices):
    """What happens to a document if one of its pages cannot be processed."""

    FAIL = "fail"
    SKIP = "skip"


IN_FLIGHT = (Status.QUEUED, Status.FETCHING, Status.RENDERING, Status.EMBEDDING)


class Space(models.Model):
    """The vector space of a model. Only vectors of one space can be compared. Spaces are shared by all owners."""

    id = models.BigAutoField(primary_key=True)
    model = models.CharField(max_length=200, blank=True)
    revision = models.CharField(max_length=200, blank=True)
    dim = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["model", "revision", "dim"], name="space_once")]

    def __str__(self) -> str:
        return f"{self.model or 'unnamed'} at {self.revision or 'no revision'} ({self.dim})"


class RevisionQuerySet(LeasedQuerySet["Revision"]):
    unfinished = Q(status__in=IN_FLIGHT)

    def in_flight(self) -> Self:
        return self.filter(self.unfinished)


class Revision(LeasedModel):
    """One upload of a document. Its row is the source of truth; a message in the queue only wakes a worker."""

    document = models.ForeignKey(Document, on_delete=models.DO_NOTHING, related_name="revisions", db_constraint=False)
    file = models.ForeignKey(
        StoredFile, on_delete=models.DO_NOTHING, null=True, related_name="revisions", db_constraint=False
    )
    converted = models.ForeignKey(
        StoredFile,
        on_delete=models.DO_NOTHING,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
        db_constraint=False,
        help_text="The Office file converted to PDF, kept while its pages are rendered.",
    )
    url = models.TextField(blank=True, default="", help_text="The URL from which the file was or will be downloaded.")
    use_proxy = models.BooleanField(default=False)
    metadata = models.JSONField(
        default=dict, blank=True, help_text="Becomes the document's metadata when this revision is shown."
    )
    size = models.BigIntegerField(
        default=0, help_text="Bytes that count towards the owner's quota: those of the file and of the metadata."
    )
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.QUEUED)
    error = models.JSONField(null=True, blank=True, help_text="Code, detail and page of the failure.")
    pages_total = models.PositiveIntegerField(null=True, blank=True)
    pages_done = models.PositiveIntegerField(default=0)
    pages_at_claim = models.PositiveIntegerField(
        default=0, db_default=0, editable=False, help_text="How many pages were done when it was last claimed."
    )
    on_page_error = models.CharField(max_length=4, choices=OnPageError.choices, default=OnPageError.FAIL)
    skipped = models.JSONField(default=list, blank=True, help_text="Page, code and detail of each page left out.")
    reused_pages = models.PositiveIntegerField(
        default=0, help_text="Pages whose vectors were copied from identical pages."
    )
    pages_without_text = models.PositiveIntegerField(
        null=True, blank=True, help_text="Pages on which no text is known, once all are stored."
    )
    space = models.ForeignKey(Space, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    timings = models.JSONField(default=dict, blank=True, help_text="Seconds spent in each stage.")
    copy_of = models.BigIntegerField(
        null=True,
        blank=True,
        editable=False,
        help_text="The revision that this one replaces once its vectors are stored.",
    )
    attempts = models.PositiveSmallIntegerField(default=0, help_text="Consecutive attempts without progress.")
    waits = models.PositiveSmallIntegerField(
        default=0, help_text="Consecutive attempts that ended because a service was unavailable."
    )
    waiting_for = models.CharField(
        max_length=64, blank=True, default="", help_text="Error code of the unavailable service."
    )
    claimed_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = RevisionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["owner", "id"], name="revision_owner_id"),
            models.UniqueConstraint(fields=["document", "id"], name="revision_document_id"),
            models.CheckConstraint(condition=Q(status__in=Status.values), name="revision_status_known"),
            models.CheckConstraint(
                condition=Q(pages_total__isnull=True) | Q(pages_done__lte=F("pages_total")), name="revision_pages_done"
            ),
        ]
        indexes = [
            models.Index(fields=["document", "-id"], name="revision_of_document"),
            models.Index(
                fields=["id"], name="revision_in_flight", condition=~Q(status__in=["ready", "failed", "cancelled"])
            ),
            models.Index(F("owner"), F("claimed_at").desc(nulls_last=True), name="revision_last_claim"),
        ]

    def __str__(self) -> str:
        return f"revision {self.pk} ({self.status})"

    @property
    def stored_pages(self) -> int:
        """The number of pages that are stored once processing ends; skipped pages have a number but no row."""
        return (self.pages_total or 0) - len(self.skipped)


class Job(Revision):
    """A revision that is being processed or did not succeed, for the admin."""

    class Meta:
        proxy = True

    def __str__(self) -> str:
        return f"job {self.pk}"


class Outage(models.Model):
    """A part of the installation that is unavailable; the row is deleted when it is back."""

    part = models.CharField(max_length=20, primary_key=True)
    code = models.CharField(max_length=64, help_text="The error code that waiting documents report.")
    since = models.DateTimeField(db_default=Now(), editable=False)
    next_try_at = models.DateTimeField(db_default=Now(), editable=False)

    def __str__(self) -> str:
        return f"{self.part}: {self.code}"


class Page(Owned):
    """One page of a revision, numbered from 1."""

    revision = models.ForeignKey(Revision, on_delete=models.DO_NOTHING, related_name="pages", db_constraint=False)
    number = models.PositiveIntegerField()
    image = models.ForeignKey(StoredFile, on_delete=models.DO_NOTHING, related_name="pages", db_constraint=False)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    text = models.TextField(blank=True, default="")
    text_was_read = models.BooleanField(default=False, help_text="The text was read from the image by OCR.")
    unread_script = models.CharField(
        max_length=32, blank=True, default="", db_default="", help_text="Of text on the image that OCR could not read."
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["revision", "number"], name="page_number_per_revision"),
            models.UniqueConstraint(fields=["owner", "id"], name="page_owner_id"),
        ]
        indexes = [models.Index(fields=["image"], name="page_image")]

    def __str__(self) -> str:
        return f"page {self.number}"


class MultiVectorField(models.Field):  # type: ignore[type-arg]
    """A `halfvec[]` with one vector per element. Only `collections_app.storage.vectors` writes and reads it."""

    def db_type(self, connection: Any) -> str:  # noqa: ARG002 - Django's signature
        return "halfvec[]"


class PageEmbedding(models.Model):
    """The vectors of one page, in the space of the model that produced them."""

    page = models.OneToOneField(
        Page, on_delete=models.DO_NOTHING, primary_key=True, related_name="embedding", db_constraint=False
    )
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    space = models.ForeignKey(Space, on_delete=models.PROTECT, related_name="+")
    vectors = MultiVectorField(null=True, editable=False)
    codes = models.BinaryField(null=True, help_text="The vectors in four bits per dimension, instead of `vectors`.")
    layout = models.JSONField(null=True, blank=True, help_text="The position on the page that each vector belongs to.")
    words = models.BinaryField(null=True, editable=False, help_text="The words of the page with their positions.")
    pooled = models.BinaryField(null=True, help_text="A few quantised vectors pooled from all vectors.")
    sketch = models.BinaryField(null=True, help_text="The signs of the pooled vectors, for candidate search.")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(vectors=None, codes__isnull=False) | Q(codes=None, vectors__isnull=False),
                name="page_vectors_in_one_form",
            )
        ]

    def __str__(self) -> str:
        return f"vectors of page {self.pk}"


class SearchQuality(Owned):
    """The recall of the sampled searches of one day, measured by repeating each search exactly."""

    collection = models.ForeignKey(Collection, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False)
    day = models.DateField()
    searches = models.PositiveIntegerField(default=0)
    expected = models.PositiveIntegerField(default=0, help_text="Pages of this collection among the exact results.")
    found = models.PositiveIntegerField(default=0, help_text="Expected pages that the search returned.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["collection", "day"], name="search_quality_once_a_day")]
        indexes = [models.Index(fields=["day"], name="search_quality_age")]

    def __str__(self) -> str:
        return f"searches of {self.day}"


class IdempotentAnswer(Owned):
    """The response to a request with an `Idempotency-Key`, replayed when the request is repeated."""

    RETENTION: ClassVar = timedelta(hours=24)

    key = models.CharField(max_length=255)
    request_sha256 = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField()
    body = models.JSONField()
    headers = models.JSONField(default=dict)
    size = models.BigIntegerField(
        default=0, db_default=0, editable=False, help_text="Bytes that count towards the owner's quota."
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["owner", "key"], name="idempotency_key_per_owner")]
        indexes = [models.Index(fields=["created_at"], name="idempotent_answer_age")]

    def __str__(self) -> str:
        return self.key
