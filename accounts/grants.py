"""What each database role may do with the tables of users, keys and the admin.

`migrate` grants this, and for every table with an `owner_id` also what its owner and staff need.
"""

from paliapi.roles import APP, HOUSEKEEPING, METRICS, SIGN_IN, STAFF, STAFF_LOGIN

_READ = "SELECT"
_APPEND = "SELECT, INSERT"
_EDIT = "SELECT, INSERT, UPDATE"
_ALL = "SELECT, INSERT, UPDATE, DELETE"

GRANTS = {
    # Passwords are for the pages where people sign in and for the admin, rights in the admin for the admin only.
    "accounts_customuser": {
        APP: "SELECT (id, email, is_active)",
        HOUSEKEEPING: "SELECT (id, is_active)",
        METRICS: "SELECT (id, is_active)",
        SIGN_IN: "SELECT, UPDATE (password, last_login)",
        STAFF: _EDIT,
        STAFF_LOGIN: _EDIT,
    },
    "accounts_browsersession": {SIGN_IN: _ALL},
    "account_emailaddress": {SIGN_IN: _READ},
    "socialaccount_socialaccount": {SIGN_IN: _EDIT},
    "socialaccount_socialapp": {SIGN_IN: _READ},
    "mfa_authenticator": {SIGN_IN: _ALL, STAFF_LOGIN: "SELECT (id, user_id), DELETE"},
    "accounts_apikey": {HOUSEKEEPING: "SELECT (owner_id, revoked_at, expires_at)"},
    "accounts_customuser_groups": {STAFF: _ALL},
    "accounts_customuser_user_permissions": {STAFF: _ALL},
    "auth_group": {STAFF: _ALL},
    "auth_group_permissions": {STAFF: _ALL},
    "auth_permission": {STAFF: _READ},
    "django_content_type": {STAFF: _READ},
    "django_session": {STAFF: _ALL, STAFF_LOGIN: _ALL},
    # Staff cannot change or delete what they did.
    "django_admin_log": {STAFF: _APPEND},
    "django_migrations": {APP: _READ, STAFF: _READ, STAFF_LOGIN: _READ},
}
