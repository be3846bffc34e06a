import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from accounts.ownership import belongs_together, protect


class Migration(migrations.Migration):
    dependencies = [
        ("collections_app", "0013_sketches"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="SearchQuality",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("day", models.DateField()),
                ("searches", models.PositiveIntegerField(default=0)),
                (
                    "expected",
                    models.PositiveIntegerField(
                        default=0, help_text="Pages of the collection among the exact best."
                    ),
                ),
                (
                    "found",
                    models.PositiveIntegerField(default=0, help_text="Those of them that the search had found."),
                ),
                (
                    "collection",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="collections_app.collection",
                    ),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["day"], name="search_quality_age")],
                "constraints": [
                    models.UniqueConstraint(fields=("collection", "day"), name="search_quality_once_a_day")
                ],
            },
        ),
        protect("collections_app_searchquality"),
        belongs_together(
            child="collections_app_searchquality",
            column="collection_id",
            parent="collections_app_collection",
            on_delete="CASCADE",
        ),
    ]
