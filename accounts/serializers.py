"""Request and response bodies of the key endpoints."""

from typing import Any

from rest_framework import serializers

from accounts.access import SCOPES
from accounts.models import NAME_LENGTH
from paliapi.http.serializers import BoundedListField, StrictSerializer, TextField, VisibleTextField
from paliapi.units import MAX_NAME_LENGTH

MAX_COLLECTIONS = 1000
MAX_OVERLAP_HOURS = 168


class KeyIn(StrictSerializer[Any]):
    name = VisibleTextField(
        max_length=NAME_LENGTH, required=False, allow_blank=True, default="", help_text="A name for your own reference."
    )
    scopes = BoundedListField(
        child=serializers.ChoiceField(choices=SCOPES),
        min_length=1,
        max_length=len(SCOPES),
        help_text="What the key permits; `admin` includes all others.",
    )
    collections = BoundedListField(
        child=TextField(max_length=MAX_NAME_LENGTH),
        min_length=1,
        max_length=MAX_COLLECTIONS,
        required=False,
        allow_null=True,
        help_text="The only collections it reaches, by name; null: all. Default: those of the key in use.",
    )
    expires_at = serializers.DateTimeField(
        required=False,
        allow_null=True,
        help_text="When it expires; null: never. Default: when the key in use expires.",
    )


class RotationIn(StrictSerializer[Any]):
    overlap_hours = serializers.IntegerField(
        min_value=0,
        max_value=MAX_OVERLAP_HOURS,
        required=False,
        default=24,
        help_text="How long the old key keeps working.",
    )


class KeyOut(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    key_hint = serializers.CharField(source="hint", help_text="The parts of the key that are shown again.")
    scopes = serializers.ListField(child=serializers.ChoiceField(choices=SCOPES))
    collections = serializers.ListField(
        child=serializers.CharField(),
        allow_null=True,
        help_text="The only collections it reaches, by name; null: all.",
    )
    state = serializers.ChoiceField(choices=("active", "expired", "revoked"))
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(allow_null=True)
    last_used_at = serializers.DateTimeField(allow_null=True, help_text="Accurate to the minute.")
    last_used_address = serializers.CharField(allow_null=True, help_text="The client's IP address at that time.")
    revoked_at = serializers.DateTimeField(allow_null=True)
    minted_by = serializers.IntegerField(
        source="minted_by_id",
        allow_null=True,
        help_text="The id of the key that created this one; if that key is no longer stored, of the key that created "
        "it. Null: created without a key.",
    )
    rotated_from = serializers.IntegerField(
        source="rotated_from_id", allow_null=True, help_text="The id of the key that this one replaced."
    )


class KeyMinted(KeyOut):
    key = serializers.CharField(help_text="The whole key. It is shown only once and never stored.")


class MeOut(serializers.Serializer[Any]):
    email = serializers.EmailField()
    key_id = serializers.IntegerField(help_text="The key in use.")
    key_name = serializers.CharField()
    scopes = serializers.ListField(child=serializers.ChoiceField(choices=SCOPES))
    collections = serializers.ListField(child=serializers.CharField(), allow_null=True)
    expires_at = serializers.DateTimeField(allow_null=True)


class UsageOut(serializers.Serializer[Any]):
    collections = serializers.IntegerField(allow_null=True)
    documents = serializers.IntegerField(allow_null=True)
    pages = serializers.IntegerField(allow_null=True)
    bytes = serializers.IntegerField(
        allow_null=True, help_text="Size of uploaded files, metadata, and responses stored for `Idempotency-Key`."
    )
    max_collections = serializers.IntegerField()
    max_documents = serializers.IntegerField()
    max_pages = serializers.IntegerField()
    max_bytes = serializers.IntegerField()
    requests_per_minute = serializers.IntegerField(help_text="The rate at which a key's allowance refills.")
    requests_at_once = serializers.IntegerField(help_text="The full allowance of a key, which may be spent at once.")
    searches_at_once = serializers.IntegerField(help_text="How many searches the account may run concurrently.")
    uploads_at_once = serializers.IntegerField(help_text="How many uploads the account may run concurrently.")
