import django.db.models.deletion
from django.db import migrations, models

from accounts.ownership import belongs_together


class Migration(migrations.Migration):
    dependencies = [("collections_app", "0011_copy_of")]

    operations = [
        migrations.AddField(
            model_name="storedfile",
            name="thumbnail_size",
            field=models.PositiveIntegerField(default=0, help_text="Bytes of the small picture; 0: there is none."),
        ),
        migrations.AddField(
            model_name="revision",
            name="converted",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                editable=False,
                help_text="An Office file as PDF, while pages are drawn from it.",
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="collections_app.storedfile",
            ),
        ),
        # Whoever still names a PDF that went away, for it was long through, names nothing then.
        belongs_together(
            child="collections_app_revision",
            column="converted_id",
            parent="collections_app_storedfile",
            on_delete="SET NULL (converted_id)",
        ),
    ]
