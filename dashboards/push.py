# SPDX-License-Identifier: EUPL-1.2
"""Puts the dashboards into a running Grafana through its API (grafana-client, extra `grafana`).

Only needed where files cannot be provisioned. A dashboard is found by its uid and replaced, so pushing twice changes
nothing. The driver's errors become the hub's: an address or token that is wrong is the caller's to mend, a Grafana that
does not answer may be tried again.
"""

import json
from collections.abc import Mapping

from grafana_client.api import GrafanaApi
from grafana_client.client import (
    GrafanaClientError,
    GrafanaException,
    GrafanaTimeoutError,
    GrafanaUnauthorizedError,
    TokenAuth,
)

from hub.core.errors import Invalid, Retry


def push(url: str, token: str, files: Mapping[str, str]) -> list[str]:
    """Create or replace each dashboard; returns their addresses below `url`."""
    api = GrafanaApi.from_url(url, credential=TokenAuth(token))  # type: ignore[no-untyped-call]  # the client is partly typed
    return [_push_one(api, url, name, text) for name, text in sorted(files.items())]


def _push_one(api: GrafanaApi, url: str, name: str, text: str) -> str:
    body = {"dashboard": json.loads(text), "overwrite": True, "message": "cityhub dashboards push"}
    try:
        answer = api.dashboard.update_dashboard(body)  # type: ignore[no-untyped-call]  # the client is partly typed
    except GrafanaUnauthorizedError as error:
        raise Invalid("Grafana refuses the token: it needs the right dashboards:write", "--token-file") from error
    except GrafanaTimeoutError as error:
        raise Retry(f"{url} does not answer in time") from error
    except GrafanaClientError as error:
        raise Invalid(f"{name}: Grafana answers {error}", "--url") from error
    except (GrafanaException, OSError) as error:
        raise Retry(f"{url}: {error}") from error
    return str(answer.get("url", ""))
