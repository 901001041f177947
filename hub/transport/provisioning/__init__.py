# SPDX-License-Identifier: EUPL-1.2
"""Bring a broker to what the ledger says of credentials; the full state each time. Why so: docs/credentials.md."""

from hub.transport.provisioning._dynsec import DynamicSecurity
from hub.transport.provisioning._files import MosquittoFiles
from hub.transport.provisioning._mosquitto_log import MosquittoLog
from hub.transport.provisioning._nats import EmbeddedUsers, broker_users

__all__ = ["DynamicSecurity", "EmbeddedUsers", "MosquittoFiles", "MosquittoLog", "broker_users"]
