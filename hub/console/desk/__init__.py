# SPDX-License-Identifier: EUPL-1.2
"""The desk: pages with tables and charts for those who sit at a screen, made with NiceGUI.

`mount_desk` puts them on the app of the API at `/desk`. NiceGUI is imported when the first person who signed in opens
one of them: commands, other processes and a hub that nobody looks at do not pay for it.
"""

from hub.console.desk._mount import Desk, mount_desk
from hub.console.desk.services import DeskServices

__all__ = ["Desk", "DeskServices", "mount_desk"]
