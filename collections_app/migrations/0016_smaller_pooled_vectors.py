from django.db import migrations, models


class Migration(migrations.Migration):
    """Pooled vectors of another form. Those that are there go: `rebuild_sketches` makes them again."""

    dependencies = [("collections_app", "0015_plural_of_delivery")]

    operations = [
        migrations.RemoveField(model_name="pageembedding", name="pooled"),
        migrations.AddField(
            model_name="pageembedding",
            name="pooled",
            field=models.BinaryField(help_text="Few vectors for the many, as small numbers; made from them.", null=True),
        ),
        migrations.RunSQL(
            sql="ALTER TABLE collections_app_pageembedding ALTER COLUMN pooled SET STORAGE EXTERNAL",
            reverse_sql=migrations.RunSQL.noop,
        ),
    ]
