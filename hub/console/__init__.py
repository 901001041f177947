# SPDX-License-Identifier: EUPL-1.2
"""Pages for people: made on the server, in Czech and English, without scripts. They read and never write."""

from hub.console._router import router
from hub.console.services import ConsoleServices

__all__ = ["ConsoleServices", "router"]
