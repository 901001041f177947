# SPDX-License-Identifier: EUPL-1.2
"""The HTTP API: `create_app(Services(...))` gives the ASGI app. See docs/api.md."""

from hub.api.app import create_app
from hub.api.services import Services

__all__ = ["Services", "create_app"]
