import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0001_initial'),
    ]

    operations = [
        migrations.AlterField(
            model_name='apikey',
            name='collections',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), blank=True, help_text='Names of the only collections the key reaches, now or in the future. Null: all.', null=True, size=None),
        ),
        migrations.AlterField(
            model_name='apikey',
            name='last_used_at',
            field=models.DateTimeField(blank=True, editable=False, help_text='Accurate to the minute.', null=True),
        ),
        migrations.AlterField(
            model_name='apikey',
            name='pepper_id',
            field=models.SmallIntegerField(editable=False, help_text='The pepper the digest was computed with.'),
        ),
        migrations.AlterField(
            model_name='usage',
            name='max_bytes',
            field=models.BigIntegerField(blank=True, help_text='Empty: the default quota.', null=True),
        ),
        migrations.AlterField(
            model_name='usage',
            name='max_documents',
            field=models.BigIntegerField(blank=True, help_text='Empty: the default quota.', null=True),
        ),
        migrations.AlterField(
            model_name='usage',
            name='max_pages',
            field=models.BigIntegerField(blank=True, help_text='Empty: the default quota.', null=True),
        ),
    ]
