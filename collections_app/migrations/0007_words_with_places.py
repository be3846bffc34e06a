from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("collections_app", "0006_page_lexemes")]

    operations = [
        migrations.AddField(
            model_name="pageembedding",
            name="words",
            field=models.BinaryField(help_text="The words of the page with their places.", null=True),
        ),
        # They are compressed already.
        migrations.RunSQL(
            sql="ALTER TABLE collections_app_pageembedding ALTER COLUMN words SET STORAGE EXTERNAL",
            reverse_sql="ALTER TABLE collections_app_pageembedding ALTER COLUMN words SET STORAGE EXTENDED",
        ),
    ]
