"""The admin's app configuration.

Not in `accounts.apps`, where Django would take it for the configuration of `accounts`.
"""

from django.contrib.admin.apps import AdminConfig


class StaffAdminConfig(AdminConfig):
    """Django's admin with `StaffSite` as its site."""

    default_site = "accounts.staff_site.StaffSite"
