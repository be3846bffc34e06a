from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("collections_app", "0012_office_and_thumbnails")]

    operations = [
        migrations.RemoveField(model_name="pageembedding", name="seq"),
        migrations.AddField(
            model_name="pageembedding",
            name="pooled",
            field=models.BinaryField(help_text="Few vectors for the many, as small numbers; made from them.", null=True),
        ),
        migrations.AddField(
            model_name="pageembedding",
            name="sketch",
            field=models.BinaryField(
                help_text="The signs of those, for the first look; made from the vectors.", null=True
            ),
        ),
        migrations.AddField(
            model_name="collection",
            name="sketches_seq",
            field=models.BigIntegerField(
                default=0,
                editable=False,
                help_text="`vectors_seq` when sketches that were there were last made again.",
            ),
        ),
        migrations.RunSQL(
            # Sketches stay in the row: they are read by the thousand, and half a page of the table holds one.
            sql=[
                "ALTER TABLE collections_app_pageembedding ALTER COLUMN pooled SET STORAGE EXTERNAL",
                "ALTER TABLE collections_app_pageembedding ALTER COLUMN sketch SET STORAGE MAIN",
                "ALTER TABLE collections_app_pageembedding SET (toast_tuple_target = 4080)",
            ],
            reverse_sql=["ALTER TABLE collections_app_pageembedding RESET (toast_tuple_target)"],
        ),
    ]
