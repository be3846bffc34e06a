"""Apart from `accounts.apps`, where Django would take it for the configuration of the accounts."""

from django.contrib.admin.apps import AdminConfig


class StaffAdminConfig(AdminConfig):
    """The admin, on a site of ours."""

    default_site = "accounts.staff_site.StaffSite"
