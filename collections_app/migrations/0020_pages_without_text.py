from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("collections_app", "0019_bytes_of_rows")]

    operations = [
        migrations.AddField(
            model_name="revision",
            name="pages_without_text",
            field=models.PositiveIntegerField(
                blank=True, help_text="Pages on which no text is known, once all are stored.", null=True
            ),
        ),
        migrations.AddField(
            model_name="page",
            name="unread_script",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="Of text on the image that OCR could not read.",
                max_length=32,
            ),
        ),
    ]
