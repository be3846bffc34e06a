import collections_app.models
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("collections_app", "0021_pages_at_claim")]

    operations = [
        migrations.AddField(
            model_name="collection",
            name="vector_storage",
            field=models.CharField(db_default="full", default="full", editable=False, max_length=7),
        ),
        migrations.AddField(
            model_name="pageembedding",
            name="codes",
            field=models.BinaryField(help_text="The vectors in four bits per dimension, instead of `vectors`.", null=True),
        ),
        migrations.RunSQL(
            sql="ALTER TABLE collections_app_pageembedding ALTER COLUMN codes SET STORAGE EXTERNAL",
            reverse_sql=migrations.RunSQL.noop,
        ),
        migrations.AlterField(
            model_name="pageembedding",
            name="vectors",
            field=collections_app.models.MultiVectorField(editable=False, null=True),
        ),
        migrations.AddConstraint(
            model_name="collection",
            constraint=models.CheckConstraint(
                condition=models.Q(("vector_storage__in", ["full", "compact"])), name="collection_storage"
            ),
        ),
        migrations.AddConstraint(
            model_name="pageembedding",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("codes__isnull", False), ("vectors", None)),
                    models.Q(("codes", None), ("vectors__isnull", False)),
                    _connector="OR",
                ),
                name="page_vectors_in_one_form",
            ),
        ),
    ]
