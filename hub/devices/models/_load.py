# SPDX-License-Identifier: EUPL-1.2
"""Models are read from YAML files, and checked whole: ids, words, quantities, units, sources.

What is wrong is a `SettingsError` naming file, model and field. A city adds models in a folder of its own; an id
stands once over all files.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from importlib.resources import files
from pathlib import Path

from msgspec import DecodeError, Struct, yaml

from hub.core.errors import Reject, SettingsError
from hub.core.quantities import Quantities
from hub.devices.models._types import DeviceModel, Link

_LANGUAGES = ("cs", "en")


class _File(Struct, forbid_unknown_fields=True):
    models: list[DeviceModel]


def load_models(extra: Path | None = None, connectors: Collection[str] | None = None) -> Mapping[str, DeviceModel]:
    """All models by id, in order of id; those of the folder `extra` too. `connectors` are those that exist."""
    found: dict[str, DeviceModel] = {}
    origin: dict[str, str] = {}
    quantities = Quantities.load()
    for name, text in _texts(extra):
        for model in parse_models(text, name, quantities, connectors):
            if model.id in found:
                raise SettingsError(f"{name}: {model.id}", f"this id stands in {origin[model.id]} already")
            found[model.id], origin[model.id] = model, name
    return dict(sorted(found.items()))


def parse_models(
    text: bytes, file: str, quantities: Quantities, connectors: Collection[str] | None = None
) -> Iterable[DeviceModel]:
    """The models of one file; `file` is its name in errors."""
    try:
        models = yaml.decode(text, type=_File).models
    except DecodeError as error:
        detail, _, field = str(error).partition(" - at ")
        raise SettingsError(f"{file}: {field.strip('`').removeprefix('$.') or 'the file'}", detail) from error
    for model in models:
        for field, detail in _faults(model, quantities, connectors):
            raise SettingsError(f"{file}: {model.id}: {field}", detail)
    return models


def _texts(extra: Path | None) -> Iterator[tuple[str, bytes]]:
    packaged = [item for item in files("hub.devices.models").iterdir() if item.name.endswith(".yaml")]
    yield from ((item.name, item.read_bytes()) for item in sorted(packaged, key=lambda item: item.name))
    if extra is None:
        return
    if not extra.is_dir():
        raise SettingsError("devices.models", f"{extra} is not a directory")
    try:
        yield from ((str(path), path.read_bytes()) for path in sorted(extra.glob("*.yaml")))
    except OSError as error:
        raise SettingsError("devices.models", f"{error.filename} cannot be read ({error.strerror})") from error


def _faults(
    model: DeviceModel, quantities: Quantities, connectors: Collection[str] | None
) -> Iterator[tuple[str, str]]:
    yield from _bad_words(model)
    yield from _bad_quantities(model, quantities)
    yield from _bad_samples(model)
    if not model.sources:
        yield "sources", "say where this is known from: url, title, retrieved"
    if (model.link is Link.LORAWAN) != (model.lorawan is not None):
        yield "lorawan", "is for devices with `link: lorawan`, and they need it"
    low, critical = model.battery.low, model.battery.critical
    if low is not None and critical is not None and critical > low:
        yield "battery", f"critical ({critical:g}) must not lie above low ({low:g})"
    for name in model.connectors if connectors is not None else ():
        if name not in (connectors or ()):
            yield "connectors", f"there is no connector {name!r}; there are {', '.join(sorted(connectors or ()))}"


def _bad_words(model: DeviceModel) -> Iterator[tuple[str, str]]:
    given = {"title": model.title, "install": model.install, "mounting.note": model.mounting.note}
    for field, words in given.items():
        if (words or field == "title") and any(not words.get(language, "").strip() for language in _LANGUAGES):
            yield field, "the words are needed in Czech (cs) and English (en)"


def _bad_quantities(model: DeviceModel, quantities: Quantities) -> Iterator[tuple[str, str]]:
    if not model.quantities:
        yield "quantities", "name at least one"
    for index, row in enumerate(model.quantities):
        try:
            quantities.factor(row.quantity, row.unit)
        except Reject as error:
            yield f"quantities[{index}]", error.detail
    names = [name for name in (*(row.field for row in model.quantities), *model.ignored) if name]
    for name in names:
        if names.count(name) > 1:
            yield "quantities", f"field {name!r} is named twice"


def _bad_samples(model: DeviceModel) -> Iterator[tuple[str, str]]:
    measured = {row.quantity for row in model.quantities}
    for index, sample in enumerate(model.samples):
        if (sample.decoded is None) == (sample.payload is None):
            yield f"samples[{index}]", "needs either decoded (behind a network server) or payload with its topic"
        if sample.source not in {source.url for source in model.sources}:
            yield f"samples[{index}].source", f"{sample.source!r} is not among the sources"
        strange = sorted(set(sample.readings) - measured)
        if strange:
            yield f"samples[{index}].readings", f"{', '.join(strange)} is not among the model's quantities"
