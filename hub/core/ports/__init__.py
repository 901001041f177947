# SPDX-License-Identifier: EUPL-1.2
"""Where parts of one level meet: Protocols, joined in `hub.app` alone.

All hot ports take batches. A port raises only errors of `hub.core.errors`; drivers' own errors never cross it.
"""

from hub.core.ports._access import Credentials, Gate, Issued, People, Provisioner, Shown
from hub.core.ports._bench import Bench, Tried
from hub.core.ports._books import CorrectionBook, EntryBook, StrategyBook
from hub.core.ports._journal import Journal, JournalReader, QuarantineFilter
from hub.core.ports._keys import ApiKey, KeyRing
from hub.core.ports._networks import NetworkServer
from hub.core.ports._orders import ENGINE_ORDERS, Command, CommandQueue
from hub.core.ports._readings import FlagStore, FlagStretch, QualityFinding, ReadingStore
from hub.core.ports._registry import AuditLog, AuditTrail, DeviceBook, ImportBook, Records, Registry
from hub.core.ports._streams import PartHealth, Publisher, Source, Spool, SpoolBatch, SpoolState
from hub.core.ports._values import IndicatorSink, ValueLedger, ValueQuery, VersionSeen

__all__ = [
    "ENGINE_ORDERS",
    "ApiKey",
    "AuditLog",
    "AuditTrail",
    "Bench",
    "Command",
    "CommandQueue",
    "CorrectionBook",
    "Credentials",
    "DeviceBook",
    "EntryBook",
    "FlagStore",
    "FlagStretch",
    "Gate",
    "ImportBook",
    "IndicatorSink",
    "Issued",
    "Journal",
    "JournalReader",
    "KeyRing",
    "NetworkServer",
    "PartHealth",
    "People",
    "Provisioner",
    "Publisher",
    "QualityFinding",
    "QuarantineFilter",
    "ReadingStore",
    "Records",
    "Registry",
    "Shown",
    "Source",
    "Spool",
    "SpoolBatch",
    "SpoolState",
    "StrategyBook",
    "Tried",
    "ValueLedger",
    "ValueQuery",
    "VersionSeen",
]
