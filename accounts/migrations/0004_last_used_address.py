from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0003_key_lineage'),
    ]

    operations = [
        migrations.AddField(
            model_name='apikey',
            name='last_used_address',
            field=models.GenericIPAddressField(blank=True, editable=False, help_text='The address of the client at `last_used_at`.', null=True),
        ),
    ]
