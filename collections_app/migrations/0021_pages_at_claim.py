from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("collections_app", "0020_pages_without_text")]

    operations = [
        migrations.AddField(
            model_name="revision",
            name="pages_at_claim",
            field=models.PositiveIntegerField(
                db_default=0,
                default=0,
                editable=False,
                help_text="How many pages were done when it was last claimed.",
            ),
        ),
    ]
