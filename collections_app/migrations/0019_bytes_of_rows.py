from django.db import migrations, models

TABLES = ("accounts_usage", "collections_app_collection")


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0006_collection_quota"),
        ("collections_app", "0018_housekeeping_and_metrics"),
    ]

    operations = [
        # Metadata and responses that are stored already count from their next change on.
        migrations.AddField(
            model_name="collection",
            name="size",
            field=models.BigIntegerField(
                db_default=0,
                default=0,
                editable=False,
                help_text="Bytes of metadata that count towards the owner's quota.",
            ),
        ),
        migrations.AddField(
            model_name="idempotentanswer",
            name="size",
            field=models.BigIntegerField(
                db_default=0, default=0, editable=False, help_text="Bytes that count towards the owner's quota."
            ),
        ),
        migrations.AlterField(
            model_name="revision",
            name="size",
            field=models.BigIntegerField(
                default=0, help_text="Bytes that count towards the owner's quota: those of the file and of the metadata."
            ),
        ),
        # Row-level security binds the owner of the tables too, so it is relaxed for this one statement.
        migrations.RunSQL(
            sql=[
                *(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY" for table in TABLES),
                "INSERT INTO accounts_usage (owner_id, documents, pages, bytes, collections) "
                "SELECT owner_id, 0, 0, 0, count(*) FROM collections_app_collection GROUP BY owner_id "
                "ON CONFLICT (owner_id) DO UPDATE SET collections = excluded.collections",
                "SET CONSTRAINTS ALL IMMEDIATE",
                *(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY" for table in TABLES),
            ],
            reverse_sql=migrations.RunSQL.noop,
        ),
    ]
