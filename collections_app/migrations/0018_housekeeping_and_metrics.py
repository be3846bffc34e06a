from collections.abc import Iterator

from django.db import migrations

from paliapi.roles import HOUSEKEEPING, METRICS

# Which columns of these tables the roles see is granted by `migrate`.
_TABLES = {
    HOUSEKEEPING: ("revision", "webhookendpoint", "webhookdelivery", "storedfile", "page", "idempotentanswer", "searchquality"),
    METRICS: ("revision", "webhookdelivery", "searchquality"),
}


def _policies() -> Iterator[migrations.RunSQL]:
    for role, tables in _TABLES.items():
        for table in tables:
            name = f"{role.removeprefix('paliapi_')}_all"
            yield migrations.RunSQL(
                sql=f"CREATE POLICY {name} ON collections_app_{table} TO {role} USING (true) WITH CHECK (true)",
                reverse_sql=f"DROP POLICY {name} ON collections_app_{table}",
            )


class Migration(migrations.Migration):
    dependencies = [("collections_app", "0017_help_texts")]

    operations = list(_policies())
