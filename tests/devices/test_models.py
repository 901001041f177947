# SPDX-License-Identifier: EUPL-1.2
"""Every device model: its connector, quantities, units, sources, and what comes out of its samples."""

import json
from pathlib import Path

import pytest

import connectors
from hub.core.errors import SettingsError
from hub.core.quantities import Quantities
from hub.devices.models import DeviceModel, Sample, load_models
from hub.ingest.model_fields import as_told
from hub.sdk import Reading, Router, families, singly
from hub.sdk._types import Connector, RawMessage

FAMILIES = families(connectors)
MODELS = load_models(connectors=FAMILIES)
QUANTITIES = Quantities.load()
EUI = "24e124136b502217"

GOOD = """
models:
  - id: probe
    vendor: V
    name: P
    title: {cs: Sonda, en: Probe}
    domains: [air]
    link: mqtt
    connectors: [native]
    quantities: [{quantity: pm10}]
    sources: [{url: "https://example.org", title: T, retrieved: "2026-11-23"}]
"""


def _envelope(connector: str, sample: Sample) -> tuple[str, object]:
    """The sample as the network server of `connector` would publish it."""
    if sample.decoded is None:
        return sample.topic, sample.payload
    if connector == "ttn":
        ids = {"device_id": "probe-1", "application_ids": {"application_id": "city"}, "dev_eui": EUI.upper()}
        uplink = {"f_port": sample.port, "decoded_payload": sample.decoded, "received_at": "2026-11-23T10:00:00Z"}
        return "v3/city@tenant/devices/probe-1/up", {"end_device_ids": ids, "uplink_message": uplink}
    topic = f"application/a/device/{EUI}/event/up"
    return topic, {"time": "2026-11-23T10:00:00Z", "deviceInfo": {"devEui": EUI}, "object": sample.decoded}


def _canonical(model: DeviceModel, item: Reading) -> tuple[str, float] | None:
    """As ingest reads it by the model: quantity and value in its own unit, None for what is no measurement."""
    told = as_told(item, model.fields)
    if told is None:
        return None
    scale, offset = QUANTITIES.factor(told.quantity, told.unit)
    return told.quantity, told.value * scale + offset


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_a_model_says_where_it_is_known_from_and_what_is_typical_is_plausible(model: DeviceModel) -> None:
    assert all(source.url.startswith("https://") for source in model.sources)
    assert model.evidence
    assert set(model.connectors) <= set(FAMILIES)
    if not any(source.retrieved for source in model.sources):
        assert all(row.uncertain for row in model.quantities)
        assert model.grade != "reference"
    for row in model.quantities:
        scale, offset = QUANTITIES.factor(row.quantity, row.unit)
        if row.typical is not None:
            assert QUANTITIES.get(row.quantity).plausible(row.typical * scale + offset), row


@pytest.mark.parametrize(
    ("model", "connector", "sample"),
    [(m, c, s) for m in MODELS.values() for c in m.connectors for s in m.samples],
    ids=lambda item: item if isinstance(item, str) else getattr(item, "id", "sample"),
)
def test_published_samples_come_out_as_the_model_says(model: DeviceModel, connector: str, sample: Sample) -> None:
    family = FAMILIES[connector]
    assert isinstance(family, Connector)
    topic, payload = _envelope(connector, sample)
    route = Router([family]).match(topic)
    assert route is not None
    decoded = family.decode(RawMessage(topic, json.dumps(payload).encode()), route.variables)
    link = {"packet_count", "rssi", "snr", "spreading_factor"}
    found = [_canonical(model, item) for item in singly(decoded) if isinstance(item, Reading)]
    got = dict(pair for pair in found if pair is not None and pair[0] not in link)
    assert got == pytest.approx(dict(sample.readings))


def test_forty_models_of_all_domains_that_devices_have() -> None:
    assert len(MODELS) >= 40
    domains = {domain for model in MODELS.values() if model.id != "native-mqtt" for domain in model.domains}
    assert {"air", "noise", "weather", "traffic", "parking", "waste", "energy", "water", "lighting"} <= domains
    assert {"satisfaction", "sport"} <= domains


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("pm10", "pm11", "unknown quantity 'pm11'"),
        ("{quantity: pm10}", "{quantity: pm10, unit: lx}", "unknown unit 'lx'"),
        ("native", "nowhere", "there is no connector 'nowhere'"),
        ("link: mqtt", "link: lorawan", "lorawan"),
        (", en: Probe", "", "Czech (cs) and English (en)"),
        ("    sources:", "    interval: 0\n    sources:", "interval"),
        ("    sources:", "    intervall: 5\n    sources:", "intervall"),
        ("id: probe", "id: native-mqtt", "stands in generic.yaml already"),
        (
            '    sources: [{url: "https://example.org", title: T, retrieved: "2026-11-23"}]',
            "    sources: []",
            "known from",
        ),
    ],
)
def test_a_wrong_model_of_the_city_is_refused_by_file_and_field(tmp_path: Path, old: str, new: str, said: str) -> None:
    (tmp_path / "own.yaml").write_text(GOOD.replace(old, new, 1))
    with pytest.raises(SettingsError) as caught:
        load_models(tmp_path, connectors=FAMILIES)
    assert said in str(caught.value)
    assert "own.yaml" in str(caught.value)


def test_a_city_adds_models_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(GOOD)
    assert load_models(tmp_path, connectors=FAMILIES)["probe"].label == "V P"
