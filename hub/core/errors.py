# SPDX-License-Identifier: EUPL-1.2
"""Errors named by the reaction they ask for.

    HubError
    ├── Reject              the input is at fault and will stay so: set it aside with its reason
    │   ├── DecodeError     a connector cannot read the payload
    │   ├── UnknownQuantity
    │   └── UnknownUnit
    ├── Invalid             a request or a definition is at fault: tell its author what to change
    │   ├── NotFound
    │   ├── Exists
    │   └── Conflict    somebody else changed it in between: read it again
    ├── Denied              who asks is not let in: show who you are
    │   └── TooManyTries    too often wrong: wait `after` seconds
    ├── Retry               the other side is away: try again after `after` seconds
    └── Stop                nobody but the operator can help: stop and name the culprit
        ├── SettingsError
        └── SchemaTooNew

A driver's errors are wrapped into one of these at the driver's only importer, chained with `from`.
"""

from collections.abc import Sequence


class HubError(Exception):
    """Root of all errors that the hub raises on purpose."""


class Reject(HubError):
    """Input that can never be used as it is; `reason` is a code of `hub.core.reasons`.

    `detail` is cut off at 500 characters: it quotes the input, which may be long.
    """

    def __init__(self, reason: str, detail: str) -> None:
        detail = detail if len(detail) <= 500 else detail[:499] + "…"
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class DecodeError(Reject):
    """A payload that its connector cannot read."""


class UnknownQuantity(Reject):
    """A quantity that `quantities.yaml` does not have."""

    def __init__(self, quantity: str, known: Sequence[str] = ()) -> None:
        near = f"; did you mean {', '.join(known)}?" if known else ""
        super().__init__("unknown_quantity", f"unknown quantity {quantity!r}{near}")
        self.quantity = quantity


class UnknownUnit(Reject):
    """A unit that cannot be converted to the quantity's own."""

    def __init__(self, unit: str, quantity: str, known: Sequence[str] = ()) -> None:
        allowed = f"; {quantity} takes {', '.join(known)}" if known else ""
        super().__init__("unknown_unit", f"unknown unit {unit!r} for {quantity}{allowed}")
        self.unit = unit
        self.quantity = quantity


class Invalid(HubError):
    """A request or a definition that its author has to change; `where` names the culprit."""

    def __init__(self, detail: str, where: str | None = None) -> None:
        super().__init__(f"{where}: {detail}" if where else detail)
        self.detail = detail
        self.where = where


class NotFound(Invalid):
    """What was asked for does not exist."""


class Exists(Invalid):
    """What should be made exists already."""


class Conflict(Invalid):
    """Somebody else changed it since the caller read it: read it again, and decide anew."""


class Denied(HubError):
    """Who asks is not known, or what he shows is wrong; never says which part of it."""


class TooManyTries(Denied):
    """Too many wrong keys or passwords: this one was not even looked at. Try again after `after` seconds."""

    def __init__(self, message: str, after: float) -> None:
        super().__init__(message)
        self.after = after


class Retry(HubError):
    """A part does not answer now; nothing was lost; try again after `after` seconds."""

    def __init__(self, detail: str, after: float = 1.0) -> None:
        super().__init__(detail)
        self.after = after


class Stop(HubError):
    """Only the operator can mend this: wrong credentials, wrong settings, a foreign schema."""


class SettingsError(Stop):
    """A setting that makes no sense; `setting` is its dotted name."""

    def __init__(self, setting: str, detail: str) -> None:
        super().__init__(f"{setting}: {detail}")
        self.setting = setting
        self.detail = detail


class SchemaTooNew(Stop):
    """A file written by a newer release of the hub."""
