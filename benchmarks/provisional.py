# SPDX-License-Identifier: EUPL-1.2
"""How long after publishing a reading the updated provisional value is on MQTT, with the whole hub at work.

An indicator of the benchmark's own takes a quantity that nothing else uses: the mean of air pressure over the hour
before this one, whose grace still runs. The probe's readings rise by 2 hPa, so their mean rises by 1 and says which of
them it has taken in. Meanwhile the other devices send at the pace asked for, which the engine works on too. The probe
waits a random moment after each value, so that it meets every phase of the engine's debounce and of the projector's
looks at the change feed (each second).
"""

import json
import random
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import paho.mqtt.client as mqtt
from msgspec import Struct
from paho.mqtt.enums import CallbackAPIVersion

from benchmarks.brokers import SETUPS
from benchmarks.consumers import CONSUMERS
from benchmarks.hubs import BenchmarkError
from benchmarks.load import Message, device_id
from benchmarks.publisher import publish
from benchmarks.trials import await_connection, await_worker, until

_INDICATOR = "bench_pressure"
_LOWEST = 850.0  # hPa
_PATIENCE = 60.0  # s
_DEFINITION = f"""\
id: {_INDICATOR}
version: 1
title: {{en: Benchmark, cs: Měření rychlosti}}
domain: weather
formula: value
inputs:
  p: {{quantity: air_pressure, capture: 0}}
unit: hPa
window: PT1H
capture: 0
grace: PT2H
precision: 2
level: site
reference:
  - citation: The benchmark's own; it means nothing
standing: illustrative
examples:
  - {{given: {{p: 1000}}, value: 1000}}
"""


class Provisional(Struct, frozen=True):
    """Milliseconds from publishing to the value; `debounce_s` is the engine's setting."""

    rate: float
    debounce_s: float
    probes: int
    p50_ms: float
    p99_ms: float


class _Probe:
    """Publishes readings one by one, and hears values."""

    def __init__(self, port: int) -> None:
        hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0).timestamp() - 3600
        self._start, self._number = int(hour), 0
        self._heard = threading.Condition()
        self._value = 0.0
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="bench-probe")
        self._client.on_message = self._on_message
        self._client.on_connect = lambda client, *_: client.subscribe(f"indicators/{_INDICATOR}/#", qos=1)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def _on_message(self, _client: mqtt.Client, _userdata: object, message: mqtt.MQTTMessage) -> None:
        value = json.loads(message.payload)["value"]
        with self._heard:
            self._value = self._value if value is None else max(self._value, float(value))
            self._heard.notify_all()

    def measure(self) -> float:
        """Seconds from one reading to the first value that has taken it in."""
        number, self._number = self._number, self._number + 1
        stamp = datetime.fromtimestamp(self._start + number * 30, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        payload = json.dumps({"time": stamp, "readings": {"air_pressure": _LOWEST + 2 * number}})
        sent = time.monotonic()
        self._client.publish(f"devices/{device_id(0)}/readings", payload, qos=1)
        with self._heard:
            if not self._heard.wait_for(lambda: self._value >= _LOWEST + number - 0.01, _PATIENCE):
                raise BenchmarkError(f"no value with reading {number} within {_PATIENCE:g} s")
        return time.monotonic() - sent

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


def provisional(
    setup: str, load: Sequence[Message], template: Path, *, rate: float, probes: int, debounce: float
) -> Provisional:
    """Probe the whole hub while `load` goes out at `rate`; ends with the last probe."""
    if probes > 100:
        raise BenchmarkError("at most 100 probes: they rise by 2 hPa each, half a minute apart, within one hour")
    with tempfile.TemporaryDirectory() as folder, SETUPS[setup](Path(folder), template) as bench:
        definitions = Path(folder) / "definitions"
        definitions.mkdir()
        (definitions / f"{_INDICATOR}.yaml").write_text(_DEFINITION, encoding="utf-8")
        settings = {
            "CITYHUB_INDICATORS__DEFINITIONS": str(definitions),
            "CITYHUB_INDICATORS__DEBOUNCE_S": str(debounce),
        }
        CONSUMERS["hub"].prepare(bench)
        bench.release()
        with bench.hub.whole(settings) as supervisor:
            await_connection(await_worker(bench, "ingest-0", supervisor), bench)
            until(bench.hub.answers, 0.05, bench)
            with _probing(bench.port) as probe, _background(bench.port, load, rate):
                probe.measure()  # the first one also waits for the engine's start
                rng = random.Random(probes)
                delays = []
                for _ in range(probes):
                    time.sleep(rng.uniform(0.0, 1.0))
                    delays.append(probe.measure() * 1e3)
    delays.sort()
    return Provisional(rate, debounce, probes, median(delays), delays[int(len(delays) * 0.99)])


@contextmanager
def _probing(port: int) -> Iterator[_Probe]:
    probe = _Probe(port)
    try:
        yield probe
    finally:
        probe.close()


@contextmanager
def _background(port: int, load: Sequence[Message], rate: float) -> Iterator[None]:
    """Sends `load` until told to stop, once more from its beginning where it is too short; errors come out here."""
    done = threading.Event()

    def send() -> None:
        while not done.is_set():
            publish(port, load, connections=1, rate=rate, stop=done)

    with ThreadPoolExecutor(1) as pool:
        sending = pool.submit(send)
        try:
            yield
        finally:
            done.set()
        sending.result()
