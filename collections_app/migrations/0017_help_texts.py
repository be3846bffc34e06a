import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('collections_app', '0016_smaller_pooled_vectors'),
    ]

    operations = [
        migrations.AlterField(
            model_name='collection',
            name='sketches_seq',
            field=models.BigIntegerField(default=0, editable=False, help_text='The value of `vectors_seq` when existing sketches were last rebuilt.'),
        ),
        migrations.AlterField(
            model_name='collection',
            name='vectors_seq',
            field=models.BigIntegerField(default=0, editable=False, help_text='Increases with every change of what can be searched.'),
        ),
        migrations.AlterField(
            model_name='outage',
            name='code',
            field=models.CharField(help_text='The error code that waiting documents report.', max_length=64),
        ),
        migrations.AlterField(
            model_name='page',
            name='text_was_read',
            field=models.BooleanField(default=False, help_text='The text was read from the image by OCR.'),
        ),
        migrations.AlterField(
            model_name='pageembedding',
            name='layout',
            field=models.JSONField(blank=True, help_text='The position on the page that each vector belongs to.', null=True),
        ),
        migrations.AlterField(
            model_name='pageembedding',
            name='pooled',
            field=models.BinaryField(help_text='A few quantised vectors pooled from all vectors.', null=True),
        ),
        migrations.AlterField(
            model_name='pageembedding',
            name='sketch',
            field=models.BinaryField(help_text='The signs of the pooled vectors, for candidate search.', null=True),
        ),
        migrations.AlterField(
            model_name='pageembedding',
            name='words',
            field=models.BinaryField(help_text='The words of the page with their positions.', null=True),
        ),
        migrations.AlterField(
            model_name='revision',
            name='attempts',
            field=models.PositiveSmallIntegerField(default=0, help_text='Consecutive attempts without progress.'),
        ),
        migrations.AlterField(
            model_name='revision',
            name='converted',
            field=models.ForeignKey(blank=True, db_constraint=False, editable=False, help_text='The Office file converted to PDF, kept while its pages are rendered.', null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='collections_app.storedfile'),
        ),
        migrations.AlterField(
            model_name='revision',
            name='copy_of',
            field=models.BigIntegerField(blank=True, editable=False, help_text='The revision that this one replaces once its vectors are stored.', null=True),
        ),
        migrations.AlterField(
            model_name='revision',
            name='error',
            field=models.JSONField(blank=True, help_text='Code, detail and page of the failure.', null=True),
        ),
        migrations.AlterField(
            model_name='revision',
            name='lease_holder',
            field=models.CharField(blank=True, default='', editable=False, help_text='The process that holds the lease.', max_length=255),
        ),
        migrations.AlterField(
            model_name='revision',
            name='metadata',
            field=models.JSONField(blank=True, default=dict, help_text="Becomes the document's metadata when this revision is shown."),
        ),
        migrations.AlterField(
            model_name='revision',
            name='reused_pages',
            field=models.PositiveIntegerField(default=0, help_text='Pages whose vectors were copied from identical pages.'),
        ),
        migrations.AlterField(
            model_name='revision',
            name='size',
            field=models.BigIntegerField(default=0, help_text="Bytes that count towards the owner's quota."),
        ),
        migrations.AlterField(
            model_name='revision',
            name='skipped',
            field=models.JSONField(blank=True, default=list, help_text='Page, code and detail of each page left out.'),
        ),
        migrations.AlterField(
            model_name='revision',
            name='timings',
            field=models.JSONField(blank=True, default=dict, help_text='Seconds spent in each stage.'),
        ),
        migrations.AlterField(
            model_name='revision',
            name='url',
            field=models.TextField(blank=True, default='', help_text='The URL from which the file was or will be downloaded.'),
        ),
        migrations.AlterField(
            model_name='revision',
            name='waiting_for',
            field=models.CharField(blank=True, default='', help_text='Error code of the unavailable service.', max_length=64),
        ),
        migrations.AlterField(
            model_name='revision',
            name='waits',
            field=models.PositiveSmallIntegerField(default=0, help_text='Consecutive attempts that ended because a service was unavailable.'),
        ),
        migrations.AlterField(
            model_name='searchquality',
            name='expected',
            field=models.PositiveIntegerField(default=0, help_text='Pages of this collection among the exact results.'),
        ),
        migrations.AlterField(
            model_name='searchquality',
            name='found',
            field=models.PositiveIntegerField(default=0, help_text='Expected pages that the search returned.'),
        ),
        migrations.AlterField(
            model_name='storedfile',
            name='thumbnail_size',
            field=models.PositiveIntegerField(default=0, help_text='Size of the thumbnail in bytes. 0: no thumbnail.'),
        ),
        migrations.AlterField(
            model_name='storedfile',
            name='wanted_at',
            field=models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False, help_text='When the file was last needed. An unused file is kept for a while after this time.'),
        ),
        migrations.AlterField(
            model_name='webhookdelivery',
            name='attempts',
            field=models.PositiveSmallIntegerField(default=0, help_text='Since the message was created or last resent.'),
        ),
        migrations.AlterField(
            model_name='webhookdelivery',
            name='lease_holder',
            field=models.CharField(blank=True, default='', editable=False, help_text='The process that holds the lease.', max_length=255),
        ),
        migrations.AlterField(
            model_name='webhookdelivery',
            name='response_body',
            field=models.TextField(blank=True, default='', editable=False, help_text='The beginning of the response.'),
        ),
        migrations.AlterField(
            model_name='webhookendpoint',
            name='claimed_at',
            field=models.DateTimeField(blank=True, editable=False, help_text='When a courier last served it.', null=True),
        ),
        migrations.AlterField(
            model_name='webhookendpoint',
            name='compatible',
            field=models.BooleanField(default=False, help_text='The endpoint that ColiVara clients create.'),
        ),
        migrations.AlterField(
            model_name='webhookendpoint',
            name='failures',
            field=models.PositiveIntegerField(default=0, help_text='Consecutive failed deliveries.'),
        ),
        migrations.AlterField(
            model_name='webhookendpoint',
            name='old_until',
            field=models.DateTimeField(blank=True, editable=False, help_text='Until then, messages are signed with both the old and the new secret.', null=True),
        ),
        migrations.AlterField(
            model_name='webhookendpoint',
            name='pepper_id',
            field=models.SmallIntegerField(editable=False, help_text='The pepper the secret is derived from.'),
        ),
        migrations.AlterField(
            model_name='webhookendpoint',
            name='rest_until',
            field=models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False, help_text='No message is sent before this time.'),
        ),
    ]
