"""What each database role may do with the tables of this app, in addition to `migrate`'s grants on owned tables.

Housekeeping and metrics work for all owners at once, so they see the state of rows and none of their content.
"""

from paliapi.roles import APP, HOUSEKEEPING, METRICS, STAFF

_LEASE = "lease_token, lease_until, lease_holder"

GRANTS = {
    "collections_app_revision": {
        HOUSEKEEPING: (
            "SELECT (id, owner_id, file_id, converted_id, status, attempts, waits, waiting_for, next_try_at, "
            f"claimed_at, updated_at, pages_total, pages_done, pages_at_claim, {_LEASE}), "
            f"UPDATE (status, attempts, waiting_for, claimed_at, updated_at, pages_at_claim, {_LEASE})"
        ),
        METRICS: "SELECT (id, owner_id, status, waiting_for, next_try_at, lease_until)",
    },
    "collections_app_webhookendpoint": {
        HOUSEKEEPING: "SELECT (id, owner_id, enabled, rest_until, claimed_at), UPDATE (claimed_at)",
    },
    "collections_app_webhookdelivery": {
        HOUSEKEEPING: (
            f"SELECT (id, owner_id, endpoint_id, status, attempts, next_try_at, created_at, {_LEASE}), "
            f"UPDATE (status, attempts, attempted_at, {_LEASE}), DELETE"
        ),
        METRICS: "SELECT (id, status)",
    },
    # Postgres permits locking a row only with the right to update a column.
    "collections_app_storedfile": {HOUSEKEEPING: "SELECT (id, key, wanted_at), UPDATE (wanted_at), DELETE"},
    "collections_app_page": {HOUSEKEEPING: "SELECT (image_id)"},
    "collections_app_idempotentanswer": {HOUSEKEEPING: "SELECT (owner_id, created_at)"},
    "collections_app_searchquality": {
        HOUSEKEEPING: "SELECT (id, day), DELETE",
        METRICS: "SELECT (collection_id, day, searches, expected, found)",
    },
    "collections_app_evaluationrun": {
        HOUSEKEEPING: (
            f"SELECT (id, owner_id, status, attempts, next_try_at, claimed_at, created_at, {_LEASE}), "
            f"UPDATE (status, attempts, claimed_at, {_LEASE})"
        ),
    },
    "collections_app_outage": {
        APP: "SELECT, UPDATE (next_try_at)",
        STAFF: "SELECT, UPDATE (next_try_at)",
        HOUSEKEEPING: "SELECT, INSERT, UPDATE, DELETE",
        METRICS: "SELECT",
    },
    "collections_app_space": {APP: "SELECT, INSERT", STAFF: "SELECT"},
}
