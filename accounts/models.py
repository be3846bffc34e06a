"""Users, their API keys, sign-in links and sessions, and how much each of them stores."""

from datetime import datetime
from typing import Any, ClassVar, Self

from django.contrib.auth.models import AbstractUser, BaseUserManager
from django.contrib.postgres.fields import ArrayField
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower, Now
from django.utils import timezone

from accounts import keys
from accounts.access import SCOPES, Caller
from accounts.keys import PUBLIC_LENGTH

NAME_LENGTH = 100


class UserManager(BaseUserManager["CustomUser"]):
    @classmethod
    def normalize_email(cls, email: str | None) -> str:
        """Return the lower-case form, so that addresses are unique regardless of case."""
        return (email or "").strip().lower()

    def get_by_natural_key(self, username: str | None) -> "CustomUser":
        return self.get(email=self.normalize_email(username))

    def create_user(self, email: str, *, password: str | None = None, **fields: Any) -> "CustomUser":
        """Create a user who may call the API, and with a password also sign in to the console."""
        if not self.normalize_email(email):
            raise ValueError("A user needs an e-mail address.")
        user = self.model(email=self.normalize_email(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, *, password: str | None = None, **fields: Any) -> "CustomUser":
        return self.create_user(email, password=password, **{**fields, "is_staff": True, "is_superuser": True})


class CustomUser(AbstractUser):
    """A person or a product that owns data and logs in by e-mail."""

    username = None  # type: ignore[assignment]
    email = models.EmailField("e-mail", unique=True, error_messages={"unique": "There is a user with this e-mail."})

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects: ClassVar[UserManager] = UserManager()  # type: ignore[assignment]

    class Meta:
        verbose_name = "user"
        constraints = [models.CheckConstraint(condition=Q(email=Lower("email")), name="user_email_lower_case")]

    def __str__(self) -> str:
        return self.email


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    def manageable_by(self, caller: Caller) -> Self:
        """Select the keys of the caller's owner that reach no further than the caller's own key."""
        rows = self.filter(owner_id=caller.owner_id)
        if caller.collections is None:
            return rows
        return rows.filter(collections__contained_by=sorted(caller.collections))

    def in_state(self, state: str) -> Self:
        if state == "revoked":
            return self.filter(revoked_at__isnull=False)
        expired = Q(expires_at__isnull=False, expires_at__lte=timezone.now())
        return self.filter(expired if state == "expired" else ~expired, revoked_at__isnull=True)

    def ended_before(self, moment: datetime) -> Self:
        """Select the keys that were revoked or expired before a moment."""
        return self.filter(Q(revoked_at__lt=moment) | Q(expires_at__lt=moment))


class ApiKey(models.Model):
    """A key to the API. The secret is shown once, on creation; only an HMAC of it is stored."""

    id = models.BigAutoField(primary_key=True)
    owner = models.ForeignKey(CustomUser, on_delete=models.CASCADE, related_name="api_keys", db_index=False)
    name = models.CharField(max_length=NAME_LENGTH, blank=True, default="")
    public_id = models.CharField(max_length=PUBLIC_LENGTH, unique=True, editable=False)
    digest = models.BinaryField(max_length=32)
    pepper_id = models.SmallIntegerField(editable=False, help_text="The pepper the digest was computed with.")
    last4 = models.CharField(max_length=4, editable=False)
    scopes = ArrayField(models.CharField(max_length=10, choices=[(scope, scope) for scope in SCOPES]))
    collections = ArrayField(
        models.TextField(),
        null=True,
        blank=True,
        help_text="Names of the only collections the key reaches, now or in the future. Null: all.",
    )
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False, help_text="Accurate to the minute.")
    last_used_address = models.GenericIPAddressField(
        null=True, blank=True, editable=False, help_text="The address of the client at `last_used_at`."
    )
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)
    rotated_from = models.ForeignKey(
        "self",
        on_delete=models.DO_NOTHING,
        null=True,
        blank=True,
        related_name="+",
        db_constraint=False,
        editable=False,
    )
    minted_by = models.ForeignKey(
        "self",
        on_delete=models.DO_NOTHING,
        null=True,
        blank=True,
        related_name="+",
        db_constraint=False,
        editable=False,
        help_text="The key that created this one, or the closest of its ancestors that is still stored.",
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        verbose_name = "API key"
        constraints = [
            models.UniqueConstraint(fields=["owner", "id"], name="api_key_owner_id"),
            models.CheckConstraint(
                condition=Q(scopes__contained_by=list(SCOPES)) & ~Q(scopes=[]), name="api_key_scopes_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.hint}".strip()

    @property
    def hint(self) -> str:
        """The parts of the key that may be shown again: enough to recognise it in a configuration."""
        return f"pali_{self.public_id}_...{self.last4}"

    @property
    def state(self) -> str:
        return keys.state(revoked_at=self.revoked_at, expires_at=self.expires_at, now=timezone.now())


class SignInLink(models.Model):
    """A link that signs a browser in, or sets a password, once. Only a digest of its secret is stored."""

    id = models.BigAutoField(primary_key=True)
    owner = models.ForeignKey(CustomUser, on_delete=models.CASCADE, related_name="+")
    digest = models.BinaryField(max_length=32, unique=True, editable=False)
    expires_at = models.DateTimeField(editable=False)
    sets_password = models.BooleanField(default=False, db_default=False, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    def __str__(self) -> str:
        return f"sign-in link of {self.owner}"


class BrowserSession(AbstractBaseSession):
    """A session of a browser, with a user once it has signed in. Only a digest of its key is stored."""

    user = models.ForeignKey(CustomUser, on_delete=models.CASCADE, null=True, related_name="+")
    created_at = models.DateTimeField()
    last_seen_at = models.DateTimeField(help_text="Accurate to the minute.")
    address = models.GenericIPAddressField(null=True, help_text="The address of the client that signed in.")
    user_agent = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        verbose_name = "session"


class Usage(models.Model):
    """How much an owner stores, counted in the transaction that changes it."""

    owner = models.OneToOneField(CustomUser, on_delete=models.CASCADE, primary_key=True, related_name="usage")
    collections = models.BigIntegerField(default=0, db_default=0, editable=False)
    documents = models.BigIntegerField(default=0, editable=False)
    pages = models.BigIntegerField(default=0, editable=False)
    bytes = models.BigIntegerField(default=0, editable=False)
    max_collections = models.BigIntegerField(null=True, blank=True, help_text="Empty: the default quota.")
    max_documents = models.BigIntegerField(null=True, blank=True, help_text="Empty: the default quota.")
    max_pages = models.BigIntegerField(null=True, blank=True, help_text="Empty: the default quota.")
    max_bytes = models.BigIntegerField(null=True, blank=True, help_text="Empty: the default quota.")

    class Meta:
        verbose_name_plural = "usage"
        constraints = [
            models.CheckConstraint(
                condition=Q(collections__gte=0, documents__gte=0, pages__gte=0, bytes__gte=0),
                name="usage_counts_not_negative",
            ),
            models.CheckConstraint(
                condition=(Q(max_collections__isnull=True) | Q(max_collections__gte=0))
                & (Q(max_documents__isnull=True) | Q(max_documents__gte=0))
                & (Q(max_pages__isnull=True) | Q(max_pages__gte=0))
                & (Q(max_bytes__isnull=True) | Q(max_bytes__gte=0)),
                name="usage_limits_not_negative",
            ),
        ]

    def __str__(self) -> str:
        return f"usage of {self.owner}"
