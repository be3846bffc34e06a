"""The parts of an installation that run as processes of their own, and read only the settings that they need.

`PALIAPI_PART` names the part that a process is. Without it, as for commands such as `migrate`, every setting is read.
"""

from typing import Final

WEB: Final = "web"
WORKER: Final = "worker"
COURIER: Final = "courier"
BEAT: Final = "beat"
ADMIN: Final = "admin"

PARTS: Final = (WEB, WORKER, COURIER, BEAT, ADMIN)
# Commands that set up the database are run by hand, or by a service that ends; they are none of the parts.
ADMINISTRATION: Final = ("administration",)

# The variable with the database login of a part, if it is not DATABASE_URL. Commands may do what any part may.
OWN_DATABASE_LOGIN: Final = {
    WORKER: "DATABASE_WORKER_URL",
    COURIER: "DATABASE_WORKER_URL",
    ADMIN: "DATABASE_STAFF_URL",
    "": "DATABASE_STAFF_URL",
}
