"""Webhook endpoints, and the outbox of messages for them."""

from typing import Self
from uuid import uuid4

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from collections_app.owned import LeasedModel, LeasedQuerySet, Owned

MAX_DESCRIPTION_LENGTH = 255


class WebhookEvent(models.TextChoices):
    """The events that an endpoint can subscribe to."""

    DOCUMENT_READY = "document.ready"
    DOCUMENT_FAILED = "document.failed"
    DOCUMENT_CANCELLED = "document.cancelled"
    UPSERT_SUCCESS = "upsert.success"
    UPSERT_FAIL = "upsert.fail"


# Sent on request, whatever the endpoint subscribes to.
TEST_EVENT = "webhook.test"


class DisabledReason(models.TextChoices):
    """Why an endpoint is disabled."""

    BY_REQUEST = "by_request"
    BY_STAFF = "by_staff"
    FAILING = "failing"
    GONE = "gone"
    SECRET_LOST = "secret_lost"  # noqa: S105 - a reason


class WebhookEndpoint(Owned):
    """A URL that receives events of an owner. Its secret is derived from the salt and a pepper, and never stored."""

    url = models.TextField()
    description = models.CharField(max_length=MAX_DESCRIPTION_LENGTH, blank=True, default="")
    events = ArrayField(models.CharField(max_length=40))
    compatible = models.BooleanField(default=False, help_text="The endpoint that ColiVara clients create.")
    salt = models.BinaryField(max_length=32)
    pepper_id = models.SmallIntegerField(editable=False, help_text="The pepper the secret is derived from.")
    old_salt = models.BinaryField(max_length=32, null=True)
    old_pepper_id = models.SmallIntegerField(null=True, editable=False)
    old_until = models.DateTimeField(
        null=True,
        blank=True,
        editable=False,
        help_text="Until then, messages are signed with both the old and the new secret.",
    )
    enabled = models.BooleanField(default=True)
    disabled_reason = models.CharField(max_length=20, choices=DisabledReason.choices, blank=True, default="")
    disabled_at = models.DateTimeField(null=True, blank=True, editable=False)
    failing_since = models.DateTimeField(null=True, blank=True, editable=False)
    failures = models.PositiveIntegerField(default=0, help_text="Consecutive failed deliveries.")
    rest_until = models.DateTimeField(
        db_default=Now(), editable=False, help_text="No message is sent before this time."
    )
    claimed_at = models.DateTimeField(null=True, blank=True, editable=False, help_text="When a courier last served it.")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["owner", "id"], name="webhook_endpoint_owner_id"),
            models.UniqueConstraint(
                fields=["owner"], condition=Q(compatible=True), name="webhook_endpoint_compatible_once"
            ),
            models.CheckConstraint(
                condition=Q(events__contained_by=WebhookEvent.values) & ~Q(events=[]),
                name="webhook_endpoint_events_known",
            ),
        ]

    def __str__(self) -> str:
        return self.url[:100]


class DeliveryStatus(models.TextChoices):
    """The state of a message."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


class WebhookDeliveryQuerySet(LeasedQuerySet["WebhookDelivery"]):
    unfinished = Q(status=DeliveryStatus.PENDING)

    def pending(self) -> Self:
        return self.filter(self.unfinished)


class WebhookDelivery(LeasedModel):
    """One message to one endpoint, inserted in the transaction of the change that it reports."""

    endpoint = models.ForeignKey(
        WebhookEndpoint, on_delete=models.DO_NOTHING, related_name="deliveries", db_constraint=False, db_index=False
    )
    message_id = models.UUIDField(default=uuid4, unique=True, editable=False)
    event = models.CharField(max_length=40)
    payload = models.JSONField()
    status = models.CharField(max_length=10, choices=DeliveryStatus.choices, default=DeliveryStatus.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0, help_text="Since the message was created or last resent.")
    attempted_at = models.DateTimeField(null=True, blank=True, editable=False)
    took_ms = models.PositiveIntegerField(null=True, blank=True, editable=False)
    response_status = models.PositiveSmallIntegerField(null=True, blank=True, editable=False)
    response_body = models.TextField(blank=True, default="", editable=False, help_text="The beginning of the response.")
    error = models.CharField(max_length=20, blank=True, default="", editable=False)
    delivered_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = WebhookDeliveryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "webhook deliveries"
        constraints = [
            models.UniqueConstraint(fields=["owner", "id"], name="webhook_delivery_owner_id"),
            models.CheckConstraint(condition=Q(status__in=DeliveryStatus.values), name="webhook_delivery_status_known"),
        ]
        indexes = [
            models.Index(fields=["endpoint", "-id"], name="webhook_delivery_log"),
            models.Index(
                fields=["endpoint", "next_try_at"], name="webhook_delivery_due", condition=Q(status="pending")
            ),
            models.Index(fields=["owner"], name="webhook_delivery_held", condition=Q(lease_until__isnull=False)),
            models.Index(fields=["created_at"], name="webhook_delivery_age"),
        ]

    def __str__(self) -> str:
        return f"{self.event} {self.name}"

    @property
    def name(self) -> str:
        """The `webhook-id` of the message: equal in every attempt, so that a receiver can detect duplicates."""
        return f"msg_{self.message_id.hex}"
