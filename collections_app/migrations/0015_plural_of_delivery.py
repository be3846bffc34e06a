from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("collections_app", "0014_search_quality"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="webhookdelivery",
            options={"verbose_name_plural": "webhook deliveries"},
        ),
    ]
