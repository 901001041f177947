# SPDX-License-Identifier: EUPL-1.2
"""The HTTP API: `create_app(Services(...))` gives the ASGI app. See docs/api.md.

`page_guard` is for further pages in the same app that are not for everybody.
"""

from fastapi import Depends

from hub.api import auth
from hub.api.app import create_app
from hub.api.services import Services

page_guard = Depends(auth.page_guard)

__all__ = ["Services", "create_app", "page_guard"]
