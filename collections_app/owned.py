"""What every row of an owner has."""

from django.conf import settings
from django.db import models


class Owned(models.Model):
    """A row of one owner. Foreign keys between owned rows are made in the migrations, over (owner_id, id)."""

    id = models.BigAutoField(primary_key=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")

    class Meta:
        abstract = True
