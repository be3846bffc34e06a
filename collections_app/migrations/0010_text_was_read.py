from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("collections_app", "0009_job")]

    operations = [
        migrations.AddField(
            model_name="page",
            name="text_was_read",
            field=models.BooleanField(default=False, help_text="Off the image: the file itself has no text here."),
        ),
    ]
