# SPDX-License-Identifier: EUPL-1.2
"""Which model an unknown device may be."""

from hub.devices.guess import guess_model
from hub.devices.models import load_models

MODELS = load_models()


def test_names_of_fields_and_the_maker_together_find_the_model() -> None:
    found = guess_model("chirpstack", "24e124713b502217", "", ["distance", "battery", "tilt"], MODELS)
    assert found[0].model == "milesight-em310-udl"
    assert "Milesight" in found[0].reason["cs"]
    assert "distance" in found[0].reason["en"]


def test_a_vendor_of_a_sticker_counts_without_any_message() -> None:
    found = guess_model("", "", "", [], MODELS, vendor_id=109)
    assert found
    assert all(MODELS[candidate.model].vendor == "Decentlab" for candidate in found)


def test_models_of_other_connectors_are_no_candidates() -> None:
    found = guess_model("native", "probe-1", "devices/probe-1/readings", ["distance"], MODELS)
    assert all("native" in MODELS[candidate.model].connectors for candidate in found)


def test_where_nothing_speaks_for_any_nobody_guesses() -> None:
    assert guess_model("chirpstack", "0011223344556677", "", ["zzz"], MODELS) == []
