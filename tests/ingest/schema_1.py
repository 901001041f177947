# SPDX-License-Identifier: EUPL-1.2
"""Schema 1 of the journal, as the first release made it. Never changed: upgrades start from it."""

SCHEMA = """
CREATE TABLE touch (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, device TEXT NOT NULL, quantity TEXT NOT NULL, hour INTEGER NOT NULL);
CREATE TABLE account (
    hour INTEGER NOT NULL, connector TEXT NOT NULL, device TEXT NOT NULL,
    received INTEGER NOT NULL, decoded INTEGER NOT NULL, quarantined INTEGER NOT NULL, refused INTEGER NOT NULL,
    ignored INTEGER NOT NULL, readings INTEGER NOT NULL, stored INTEGER NOT NULL, duplicate INTEGER NOT NULL,
    conflict INTEGER NOT NULL, rejected INTEGER NOT NULL, replaced INTEGER NOT NULL,
    PRIMARY KEY (hour, connector, device)) WITHOUT ROWID;
CREATE TABLE reason_count (
    connector TEXT NOT NULL, reason TEXT NOT NULL, n INTEGER NOT NULL, PRIMARY KEY (connector, reason)) WITHOUT ROWID;
CREATE TABLE quarantine (
    id INTEGER PRIMARY KEY AUTOINCREMENT, received INTEGER NOT NULL, topic TEXT NOT NULL, payload BLOB NOT NULL,
    reason TEXT NOT NULL, detail TEXT NOT NULL, connector TEXT NOT NULL, external_id TEXT NOT NULL,
    device TEXT NOT NULL, scope TEXT NOT NULL, conflicts INTEGER NOT NULL, rejects INTEGER NOT NULL,
    retain INTEGER NOT NULL, state TEXT NOT NULL, attempts INTEGER NOT NULL, size INTEGER NOT NULL);
CREATE TABLE quarantine_other (
    quarantine INTEGER NOT NULL, external_id TEXT NOT NULL, PRIMARY KEY (external_id, quarantine)) WITHOUT ROWID;
CREATE TABLE identity (id INTEGER NOT NULL);
INSERT INTO identity VALUES (abs(random() % 4611686018427387903) + 1);
CREATE INDEX quarantine_source ON quarantine (state, connector, external_id);
CREATE INDEX quarantine_reason ON quarantine (state, reason);
CREATE TABLE event (
    id INTEGER PRIMARY KEY AUTOINCREMENT, device TEXT NOT NULL, connector TEXT NOT NULL, external_id TEXT NOT NULL,
    kind TEXT NOT NULL, level TEXT NOT NULL, reason TEXT NOT NULL, text TEXT NOT NULL,
    time INTEGER NOT NULL, received INTEGER NOT NULL);
CREATE INDEX event_device ON event (device, id);
CREATE TABLE seen (
    device TEXT PRIMARY KEY, received INTEGER NOT NULL, time INTEGER, messages INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE untimed (hash BLOB PRIMARY KEY, received INTEGER NOT NULL) WITHOUT ROWID;
"""
