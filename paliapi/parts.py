"""The parts of an installation that run as processes of their own, and read only the settings that they need.

`PALIAPI_PART` names the part that a process is. Without it, as for commands such as `migrate`, every setting is read.
"""

from typing import Final

WEB: Final = "web"
WORKER: Final = "worker"
COURIER: Final = "courier"
BEAT: Final = "beat"

PARTS: Final = (WEB, WORKER, COURIER, BEAT)
# Commands that set up the database are run by hand, or by a service that ends; they are none of the parts.
ADMINISTRATION: Final = ("administration",)
