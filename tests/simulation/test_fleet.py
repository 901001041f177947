# SPDX-License-Identifier: EUPL-1.2
"""Which devices a simulated city has."""

from collections import Counter

from hub.core.places import PlaceKind, check_device_id, check_place_id
from hub.core.quantities import Domain
from hub.core.readings import Grade, Origin
from hub.devices.city import load_city, parse_city
from hub.simulation import registration, simulated_city, site_places

SMALL = """
id: brod
title: {de: Furt}
time_zone: Europe/Vienna
languages: [de]
parts:
  - {id: ober, title: {de: Ober}}
  - {id: unter, title: {de: Unter}}
"""


def test_at_least_44_devices_cover_all_domains_and_parts(city):
    assert len(city.devices) >= 44
    assert {item.domain for item in city.devices} == set(Domain)
    assert {item.part for item in city.devices} == {p.id for p in load_city().places if p.kind is PlaceKind.PART}


def test_every_part_has_an_air_station_that_is_registered(city):
    stations = [item for item in city.devices if item.domain is Domain.AIR and item.registered]
    assert Counter(item.part for item in stations) == {p.id: 1 for p in load_city().places[1:]}


def test_three_devices_are_not_registered(city):
    known = {device.id for device in registration(city)}
    assert len(city.devices) - len(known) == 3
    assert len(known) == len(registration(city))


def test_every_device_says_simulated_and_never_reference(city):
    assert {item.device.origin for item in city.devices} == {Origin.SIMULATED}
    assert Grade.REFERENCE not in {item.device.grade for item in city.devices}
    assert all("simulace" in item.site.title["cs"] and "simulated" in item.site.title["en"] for item in city.devices)


def test_ids_are_valid_and_sites_stand_in_their_part(city):
    for item in city.devices:
        assert check_device_id(item.id) == item.device.external_id
        assert check_place_id(item.site.id) == item.device.place
        assert (item.site.parent, item.site.kind) == (item.part, PlaceKind.SITE)
    assert len({item.id for item in city.devices}) == len(city.devices)


def test_sites_to_make_are_those_of_the_devices_to_register(city):
    assert [site.id for site in site_places(city)] == [device.place for device in registration(city)]


def test_every_device_declares_its_interval(city):
    assert all(device.interval for device in registration(city))


def test_equal_arguments_give_equal_cities_and_other_seeds_others(city):
    assert simulated_city(7, load_city()) == city
    assert simulated_city(8, load_city()) != city


def test_a_city_of_two_parts_without_positions_or_czech_names_works():
    small = simulated_city(1, parse_city(SMALL.encode(), "brod.yaml"))
    assert {item.part for item in small.devices} == {"brod/ober", "brod/unter"}
    assert {item.domain for item in small.devices} == set(Domain)
    assert "Ober" in small.devices[0].site.title["cs"]
    assert len(small.devices) - len(registration(small)) == 3


def test_a_city_without_parts_has_its_devices_on_itself():
    alone = parse_city(SMALL.replace(SMALL[SMALL.index("parts:") :], "parts: []").encode(), "brod.yaml")
    assert {item.part for item in simulated_city(1, alone).devices} == {"brod"}
