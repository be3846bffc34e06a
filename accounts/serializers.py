"""What the key routes read and write."""

from typing import Any

from rest_framework import serializers

from accounts.access import SCOPES
from accounts.models import NAME_LENGTH
from paliapi.http.serializers import StrictSerializer, TextField
from paliapi.limits import MAX_NAME_LENGTH

MOST_COLLECTIONS = 1000
LONGEST_OVERLAP_H = 168


class KeyIn(StrictSerializer[Any]):
    name = TextField(
        max_length=NAME_LENGTH, required=False, allow_blank=True, default="", help_text="For you to know it by."
    )
    scopes = serializers.ListField(
        child=serializers.ChoiceField(choices=SCOPES),
        min_length=1,
        max_length=len(SCOPES),
        help_text="What the key may do; `admin` includes the others.",
    )
    collections = serializers.ListField(
        child=TextField(max_length=MAX_NAME_LENGTH),
        min_length=1,
        max_length=MOST_COLLECTIONS,
        required=False,
        allow_null=True,
        help_text="Names of the only collections it reaches; null: all. Left out: those of the key in use.",
    )
    expires_at = serializers.DateTimeField(
        required=False,
        allow_null=True,
        help_text="When it ends; null: never. Left out: when the key in use ends.",
    )


class RotationIn(StrictSerializer[Any]):
    overlap_hours = serializers.IntegerField(
        min_value=0,
        max_value=LONGEST_OVERLAP_H,
        required=False,
        default=24,
        help_text="How long the old key still works.",
    )


class KeyOut(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    key_hint = serializers.CharField(source="shown", help_text="As much of the key as is shown again.")
    scopes = serializers.ListField(child=serializers.ChoiceField(choices=SCOPES))
    collections = serializers.ListField(
        child=serializers.CharField(), allow_null=True, help_text="The only collections it reaches; null: all."
    )
    state = serializers.ChoiceField(choices=("active", "expired", "revoked"))
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(allow_null=True)
    last_used_at = serializers.DateTimeField(allow_null=True, help_text="To the minute.")
    revoked_at = serializers.DateTimeField(allow_null=True)
    rotated_from = serializers.IntegerField(
        source="rotated_from_id", allow_null=True, help_text="The id of the key that this one replaces."
    )


class KeyMinted(KeyOut):
    key = serializers.CharField(help_text="The whole key. It is shown this once and kept nowhere.")


class MeOut(serializers.Serializer[Any]):
    email = serializers.EmailField()
    key_id = serializers.IntegerField(help_text="The key you are calling with.")
    key_name = serializers.CharField()
    scopes = serializers.ListField(child=serializers.ChoiceField(choices=SCOPES))
    collections = serializers.ListField(child=serializers.CharField(), allow_null=True)
    expires_at = serializers.DateTimeField(allow_null=True)


class UsageOut(serializers.Serializer[Any]):
    documents = serializers.IntegerField()
    pages = serializers.IntegerField()
    bytes = serializers.IntegerField(help_text="Of uploaded files.")
    max_documents = serializers.IntegerField()
    max_pages = serializers.IntegerField()
    max_bytes = serializers.IntegerField()
    requests_per_minute = serializers.IntegerField(help_text="How fast the allowance of a key fills up again.")
    requests_at_once = serializers.IntegerField(help_text="The whole allowance of a key.")
    searches_at_once = serializers.IntegerField(help_text="How many searches of the account may run at once.")
    uploads_at_once = serializers.IntegerField(help_text="How many uploads of the account may run at once.")
