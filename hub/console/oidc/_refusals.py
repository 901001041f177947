# SPDX-License-Identifier: EUPL-1.2
"""Why somebody was not let in by the provider: a code, for which the sign-in page has words."""

from hub.core.errors import Denied


class Refusal(Denied):
    """`code` names the words for people; `detail` is for the log, and never holds a token, a code or a secret."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
