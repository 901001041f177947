# SPDX-License-Identifier: EUPL-1.2
"""The relational truth: places, devices, indicator values, corrections, keys, orders between processes."""

from hub.core.registry import AuditEntry
from hub.storage.ledger._commands import CommandState
from hub.storage.ledger._copy import HeldLedger, take_in
from hub.storage.ledger._database import sqlite_url
from hub.storage.ledger._ignored import IgnoredDevice
from hub.storage.ledger._ledger import Ledger

__all__ = ["AuditEntry", "CommandState", "HeldLedger", "IgnoredDevice", "Ledger", "sqlite_url", "take_in"]
