# SPDX-License-Identifier: EUPL-1.2
"""The HTTP API: `create_app(Services(...))` gives the ASGI app. See docs/api.md.

Who may in is decided by `app.state.gate` (a `hub.core.ports.Gate`), for pages that are mounted beside the API as well.
"""

from hub.api.app import create_app
from hub.api.services import Services

__all__ = ["Services", "create_app"]
