# SPDX-License-Identifier: EUPL-1.2
"""Signing in at the city's OpenID Connect provider: authorization code with PKCE, ID token, roles from a claim.

`SignIn` is made by `hub.commands` of the settings and given to the console, which has a button and two routes then.
"""

from hub.console.oidc._people import Admission, People, Rules
from hub.console.oidc._provider import Provider, ProviderSettings
from hub.console.oidc._sign_in import SignIn

__all__ = ["Admission", "People", "Provider", "ProviderSettings", "Rules", "SignIn"]
