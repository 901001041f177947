# SPDX-License-Identifier: EUPL-1.2
"""What to enter at a network server."""

import pytest

from hub.core.places import Device
from hub.devices.models import load_models
from hub.devices.onboarding import instructions

MODEL = load_models()["milesight-em310-udl"]


@pytest.mark.parametrize(("connector", "said"), [("chirpstack", "OTAA keys"), ("ttn", "Register end device")])
def test_steps_name_the_eui_and_never_a_key(connector: str, said: str) -> None:
    device = Device(id="Bin-1", connector=connector, external_id="24e124136b502217", title="Bin 1")
    steps = instructions(device, MODEL, "24e124c0002a0001")
    english = " ".join(step["en"] for step in steps)
    assert said in english
    assert "24e124136b502217" in english
    assert "24e124c0002a0001" in english
    assert "em310-udl.js" in english
    assert all(step["cs"] for step in steps)


def test_without_a_model_the_maker_s_decoder_is_asked_for() -> None:
    steps = instructions(Device(id="a", connector="chirpstack", external_id="24e124136b502217"), None)
    assert "decoder" in steps[-1]["en"]


def test_a_device_without_network_server_needs_no_steps() -> None:
    assert instructions(Device(id="a", connector="native", external_id="a"), None) == []
