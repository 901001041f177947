# SPDX-License-Identifier: EUPL-1.2
"""How fast and how large the hub is, against yardsticks on the same broker: `python -m benchmarks`.

Method. A consumer's persistent session is made first. A publisher of our own then fills it, so that it does not compete
for the cores later. Only then the consumer starts; it is timed from the moment its connection to the broker stands
until its last message is confirmed: for the hub that means stored, journalled and counted, for the yardsticks received
and acknowledged. All consumers get the same payloads. Runs of yardstick and hub alternate on fresh servers and fresh
data, and ratios are taken pair by pair, since a machine is never the same for long. CPU is what the operating system
charges.

    load.py         the messages: shape, seed
    publisher.py    MQTT packets in bulk over raw sockets
    machine.py      CPU, memory and connections of processes; what machine this is
    brokers.py      the two set-ups: Mosquitto + InfluxDB, embedded NATS + SQLite
    consumers.py    the hub's ingest, mosquitto_sub, a bare paho subscriber
    hubs.py         a hub's directory with registered devices; ingest alone, and the whole hub
    trials.py       drains, live runs, the whole hub
    report.py       medians, ratios, table, JSON
    stages.py       `python -m benchmarks.stages`: where ingest spends its time, stage by stage
"""
