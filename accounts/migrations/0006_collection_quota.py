from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0005_housekeeping'),
    ]

    operations = [
        migrations.RemoveConstraint(model_name='usage', name='usage_counts_not_negative'),
        migrations.RemoveConstraint(model_name='usage', name='usage_limits_not_negative'),
        migrations.AddField(
            model_name='usage',
            name='collections',
            field=models.BigIntegerField(db_default=0, default=0, editable=False),
        ),
        migrations.AddField(
            model_name='usage',
            name='max_collections',
            field=models.BigIntegerField(blank=True, help_text='Empty: the default quota.', null=True),
        ),
        migrations.AddConstraint(
            model_name='usage',
            constraint=models.CheckConstraint(
                condition=Q(collections__gte=0, documents__gte=0, pages__gte=0, bytes__gte=0),
                name='usage_counts_not_negative',
            ),
        ),
        migrations.AddConstraint(
            model_name='usage',
            constraint=models.CheckConstraint(
                condition=(Q(max_collections__isnull=True) | Q(max_collections__gte=0))
                & (Q(max_documents__isnull=True) | Q(max_documents__gte=0))
                & (Q(max_pages__isnull=True) | Q(max_pages__gte=0))
                & (Q(max_bytes__isnull=True) | Q(max_bytes__gte=0)),
                name='usage_limits_not_negative',
            ),
        ),
    ]
