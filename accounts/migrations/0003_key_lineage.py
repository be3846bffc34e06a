import django.db.models.deletion
from django.db import migrations, models

from accounts.ownership import belongs_together


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0002_help_texts'),
    ]

    operations = [
        migrations.AddField(
            model_name='apikey',
            name='minted_by',
            field=models.ForeignKey(blank=True, db_constraint=False, editable=False, help_text='The key that created this one, or the closest of its ancestors that is still stored.', null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='accounts.apikey'),
        ),
        belongs_together(
            child='accounts_apikey',
            column='minted_by_id',
            parent='accounts_apikey',
            on_delete='SET NULL (minted_by_id)',
        ),
    ]
