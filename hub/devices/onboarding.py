# SPDX-License-Identifier: EUPL-1.2
"""What exactly to enter at a LoRaWAN network server, step by step, where the hub cannot do it itself. Pure.

The AppKey is never part of it: the technician reads it off the label or the maker's list, and enters it there.
"""

from collections.abc import Mapping, Sequence

from hub.core.places import Device
from hub.devices.models import DeviceModel

Steps = Sequence[Mapping[str, str]]


def instructions(device: Device, model: DeviceModel | None, join_eui: str = "") -> Steps:
    """Steps in Czech and English for the network server of the device's connector; none for other devices."""
    made = {"chirpstack": _chirpstack, "ttn": _ttn}.get(device.connector)
    return [] if made is None else [*made(device, model, join_eui or "0000000000000000"), *_last(model)]


def _chirpstack(device: Device, model: DeviceModel | None, join_eui: str) -> Steps:
    name, eui = device.title or device.id, device.external_id
    profile = model.label if model else "?"
    return [
        {
            "cs": f"V ChirpStacku otevřete Applications > vaše aplikace > Add device. Name: {name}. Device EUI: {eui}. "
            f"Join EUI: {join_eui}.",
            "en": f"In ChirpStack open Applications > your application > Add device. Name: {name}. Device EUI: {eui}. "
            f"Join EUI: {join_eui}.",
        },
        {
            "cs": f"Device profile: profil pro {profile} ({_radio(model)}). Chybí-li, založte ho v Device profiles.",
            "en": f"Device profile: the one for {profile} ({_radio(model)}). Where there is none, make it in "
            "Device profiles.",
        },
        {
            "cs": "Uložte a na kartě OTAA keys zadejte Application key (AppKey) ze štítku nebo od výrobce.",
            "en": "Submit, and enter the Application key (AppKey) from the label or the maker on the tab OTAA keys.",
        },
    ]


def _ttn(device: Device, model: DeviceModel | None, join_eui: str) -> Steps:
    eui = device.external_id
    which = (f"{model.vendor} > {model.name}" if model.vendor else model.name) if model else "?"
    return [
        {
            "cs": "V konzoli The Things Stack otevřete Applications > vaše aplikace > Register end device.",
            "en": "In the console of The Things Stack open Applications > your application > Register end device.",
        },
        {
            "cs": f"Vyberte {which}, není-li v seznamu, zadejte ručně: {_radio(model)}.",
            "en": f"Choose {which}; where the list lacks it, enter by hand: {_radio(model)}.",
        },
        {
            "cs": f"JoinEUI: {join_eui}. DevEUI: {eui}. AppKey: ze štítku nebo od výrobce. "
            f"End device ID: {device.id.lower()}.",
            "en": f"JoinEUI: {join_eui}. DevEUI: {eui}. AppKey: from the label or the maker. End device ID: "
            f"{device.id.lower()}.",
        },
    ]


def _radio(model: DeviceModel | None) -> str:
    radio = model.lorawan if model else None
    if radio is None:
        return "EU868, OTAA"
    parts = [radio.region, radio.activation.upper()]
    parts += [f"LoRaWAN {radio.mac_version}"] if radio.mac_version else []
    parts += [f"RP {radio.regional_parameters}"] if radio.regional_parameters else []
    parts += [f"class {radio.device_class}"] if radio.device_class else []
    return ", ".join(parts)


def _last(model: DeviceModel | None) -> Steps:
    codec = model.codec if model else ""
    if not codec:
        return [
            {
                "cs": "Nastavte dekodér výrobce (codec, payload formatter), jinak nepřijdou žádná měření.",
                "en": "Set the maker's decoder (codec, payload formatter), without which no readings come.",
            }
        ]
    return [{"cs": f"Dekodér: {codec}.", "en": f"Decoder: {codec}."}]
