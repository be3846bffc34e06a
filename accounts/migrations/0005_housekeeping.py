from django.db import migrations

from paliapi.roles import HOUSEKEEPING


class Migration(migrations.Migration):
    dependencies = [("accounts", "0004_last_used_address")]

    operations = [
        # Which columns it sees is granted by `migrate`.
        migrations.RunSQL(
            sql=f"CREATE POLICY housekeeping_all ON accounts_apikey FOR SELECT TO {HOUSEKEEPING} USING (true)",
            reverse_sql="DROP POLICY housekeeping_all ON accounts_apikey",
        ),
    ]
