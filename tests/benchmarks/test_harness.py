# SPDX-License-Identifier: EUPL-1.2
"""The benchmark's harness works end to end with tiny numbers, and its own parts say what they promise."""

import json
from pathlib import Path

import pytest

from benchmarks import __main__ as bench
from benchmarks import report, stages, trials
from benchmarks.hubs import BenchmarkError, Hub, make_template
from benchmarks.load import READINGS, Message, Shape, messages
from benchmarks.publisher import BrokerRefused, make_session, packet, publish
from benchmarks.trials import Drain
from tests.servers import mosquitto, require_binary


def _run(name: str, rate: float) -> Drain:
    return Drain(name, 1.0, rate, 10.0, 1.0, 0.0, 50.0)


@pytest.mark.server
@pytest.mark.parametrize("setup", ["mosquitto+influxdb", "embedded"])
def test_drains_of_hub_and_yardsticks_end_in_a_document(setup: str, tmp_path: Path) -> None:
    """Every reading is stored, and each consumer has a rate and CPU."""
    for binary in ("mosquitto", "mosquitto_sub", "influxd"):
        require_binary(binary)
    output = tmp_path / "out.json"
    numbers = ["--messages", "300", "--devices", "20", "--rounds", "1", "--quick"]
    assert bench.main([*numbers, "--setups", setup, "--output", str(output)]) == 0
    document = json.loads(output.read_bytes())
    consumers = document["setups"][setup]["consumers"]
    assert set(consumers) == {"paho", "hub", "mosquitto_sub"}
    assert all(row["messages_per_s"] > 0 for row in consumers.values())
    assert consumers["hub"]["pss_mb"] > 10
    assert document["method"]["readings_per_message"] == READINGS
    assert not {"host", "node", "path"} & set(document["machine"])


@pytest.mark.server
def test_stages_are_told_apart(capsys: pytest.CaptureFixture[str]) -> None:
    """Every stage has its line."""
    assert stages.main(["--messages", "200", "--devices", "20", "--setups", "embedded"]) == 0
    printed = capsys.readouterr().out
    assert all(stage in printed for stage in ("MQTT", "decode", "interpret", "store", "account", "journal"))


@pytest.mark.server
def test_live_and_whole_hub_are_measured(tmp_path: Path) -> None:
    """Delays are positive and ordered; the whole hub is four processes."""
    template = make_template(tmp_path, 10)
    load = list(messages(Shape(300, 10), 1_700_000_000))
    live = report.live_figures(trials.live("embedded", load, template, 200.0))
    assert 0 < live["durable_after_p50_ms"] <= live["durable_after_p99_ms"]
    whole = report.whole_figures(trials.whole("mosquitto+influxdb", load, template))
    assert set(whole["pss_mb"]) == {"api", "engine", "ingest-0", "supervisor"}


@pytest.mark.server
def test_publisher_waits_for_every_confirmation_and_the_session_keeps_the_messages(tmp_path: Path) -> None:
    """More messages than packet ids go out once each."""
    with mosquitto(tmp_path, options={"log_type": "error"}) as broker:
        make_session(broker.port, "later", "devices/#")
        sent = publish(broker.port, [Message("devices/x/readings", b"{}")] * 70_000, connections=1)
        assert len(sent) == 70_000
        assert sent == sorted(sent)


@pytest.mark.server
def test_publisher_names_a_broker_that_refuses(tmp_path: Path) -> None:
    """A broker that wants credentials is an error, not an endless wait."""
    with (
        mosquitto(tmp_path, users={"hub": "secret"}, options={"log_type": "error"}) as broker,
        pytest.raises(BrokerRefused, match="CONNACK 5"),
    ):
        publish(broker.port, [Message("a", b"")])


def test_messages_are_a_function_of_shape_and_end() -> None:
    """Same seed, same bytes; every device in turn, every time before the end."""
    shape = Shape(25, 10, 7)
    first = list(messages(shape, 1_700_000_000))
    assert first == list(messages(shape, 1_700_000_000))
    assert first != list(messages(shape._replace(seed=8), 1_700_000_000))
    assert len({message.topic for message in first}) == 10
    stamps = [json.loads(message.payload)["time"] for message in first]
    assert max(stamps) < "2023-11-14T22:13:20Z"
    assert all(len(json.loads(message.payload)["readings"]) == READINGS for message in first)


@pytest.mark.parametrize(
    ("size", "length"), [(0, b"\x00"), (127, b"\x7f"), (128, b"\x80\x01"), (16_384, b"\x80\x80\x01")]
)
def test_remaining_length_is_written_as_mqtt_asks(size: int, length: bytes) -> None:
    """The boundaries of MQTT 3.1.1, table 2.4."""
    assert packet(0x30, b"x" * size)[: 1 + len(length)] == b"\x30" + length


def test_ratios_are_taken_pair_by_pair() -> None:
    """A slow round of the machine slows both sides of its pair."""
    rounds = [{"paho": _run("paho", p), "hub": _run("hub", h)} for p, h in ((100, 50), (10, 6), (100, 40))]
    share = report.summarise(rounds)["rate_ratios"]["hub/paho"]
    assert share == {"median": 0.5, "pairs": [0.5, 0.6, 0.4]}


@pytest.mark.parametrize(("share", "met"), [(0.5, True), (0.499, False)])
def test_a_target_is_met_from_its_bound_on(share: float, met: bool) -> None:
    """Issue 2 asks for half of paho's rate."""
    setups = {"mosquitto+influxdb": {"rate_ratios": {"hub/paho": report.ratio([share])}}}
    assert [target["met"] for target in report.judge(setups)] == [met]


def test_a_hub_that_lost_readings_is_no_result(tmp_path: Path) -> None:
    """Speed without storing does not count."""
    hub = Hub(tmp_path, make_template(tmp_path, 1), [])
    with pytest.raises(BenchmarkError, match="instead of"):
        hub.check(1, 0)
