from datetime import UTC, datetime

from rest_framework.fields import DateTimeField

from paliapi.timestamps import rfc3339


def test_utc_times_end_in_z_as_in_serializers() -> None:
    moment = datetime(2026, 11, 21, 9, 30, 12, 345, tzinfo=UTC)
    assert rfc3339(moment) == "2026-11-21T09:30:12.000345Z"
    assert rfc3339(moment) == DateTimeField().to_representation(moment)
