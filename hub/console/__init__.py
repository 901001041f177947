# SPDX-License-Identifier: EUPL-1.2
"""Pages for people: made on the server, in Czech and English, without scripts.

`install(app, services)` puts them beside the API; `require(Action.X)` is the guard of every page.
"""

from hub.console._access import PageCaller, require
from hub.console._router import install, router
from hub.console.services import ConsoleServices

__all__ = ["ConsoleServices", "PageCaller", "install", "require", "router"]
