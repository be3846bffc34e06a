"""The admin pages of evaluations and their runs."""

from tests.admin_client import admin_client
from tests.cast import Someone
from tests.collections_app.evaluations.running import create_run


def test_staff_see_evaluations_and_runs_of_an_owner(alice: Someone) -> None:
    alice.post("/v1/collections/", {"name": "default_collection"})
    run = create_run(alice)
    client = admin_client()
    for path in ("evaluation/", f"evaluation/{run['evaluation_id']}/change/", "evaluationrun/"):
        response = client.get(f"/admin/collections_app/{path}")
        assert response.status_code == 200
        assert "alice@example.com" in response.content.decode()
    assert "queued" in client.get(f"/admin/collections_app/evaluationrun/{run['id']}/change/").content.decode()
