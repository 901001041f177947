# SPDX-License-Identifier: EUPL-1.2
"""Adding a family is adding a folder; faults name the folder or file."""

import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from itertools import count
from pathlib import Path
from types import ModuleType

import pytest

import connectors
from hub.sdk import SettingsError, discover

GOOD = """
from hub.sdk import Connector, Reading

def decode(message, topic):
    yield Reading(topic["x"], "pm10", 1.0)

CONNECTOR = Connector(name="{name}", title="t", topics=("{name}/{{x}}",), decode=decode, device="x")
"""
CONFIGURABLE = """
from hub.sdk import ConfigurableConnector, Connector

def configure(stem, text):
    if "?" in text:
        raise ValueError("topics: ? has no place here")
    return Connector(name=f"files.{stem}", title="t", topics=(text,), decode=lambda m, t: ())

CONNECTOR = ConfigurableConnector(name="files", title="t", configure=configure)
"""
_names = count()


class Folder:
    """A package of connectors in the making."""

    def __init__(self, root: Path) -> None:
        self.root = root / f"family_{next(_names)}"
        self.root.mkdir()
        (self.root / "__init__.py").touch()

    def add(self, family: str, code: str) -> None:
        (self.root / family).mkdir()
        (self.root / family / "connector.py").write_text(code, encoding="utf-8")

    def package(self) -> ModuleType:
        return import_module(self.root.name)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Folder]:
    monkeypatch.syspath_prepend(tmp_path)
    made = Folder(tmp_path)
    yield made
    for name in [name for name in sys.modules if name.partition(".")[0] == made.root.name]:
        del sys.modules[name]


def test_every_folder_is_found_in_order_of_name(folder: Folder) -> None:
    for name in ("beta", "alpha"):
        folder.add(name, GOOD.format(name=name))
    assert [c.name for c in discover(folder.package())] == ["alpha", "beta"]


def test_a_configured_family_yields_one_connector_a_file(folder: Folder) -> None:
    folder.add("files", CONFIGURABLE)
    found = discover(folder.package(), {"files": {"two": "b/{x}", "one": "a/{x}"}})
    assert [(c.name, c.topics) for c in found] == [("files.one", ("a/{x}",)), ("files.two", ("b/{x}",))]


def test_a_configured_family_without_files_yields_nothing(folder: Folder) -> None:
    folder.add("files", CONFIGURABLE)
    assert discover(folder.package()) == ()


@pytest.mark.parametrize(
    ("family", "code", "fragment"),
    [
        ("broken", "import no_such_module_anywhere", "cannot be imported: ModuleNotFoundError"),
        ("broken", "def", "cannot be imported: SyntaxError"),
        ("empty", "", "must define CONNECTOR"),
        ("wrong", "CONNECTOR = 5", "must define CONNECTOR"),
        ("other", GOOD.format(name="name"), "its name is 'name'"),
    ],
)
def test_a_folder_at_fault_is_named(folder: Folder, family: str, code: str, fragment: str) -> None:
    folder.add(family, code)
    with pytest.raises(SettingsError) as caught:
        discover(folder.package())
    assert caught.value.setting == f"connectors.{family}"
    assert fragment in caught.value.detail


@pytest.mark.parametrize(
    ("configurations", "setting", "fragment"),
    [
        ({"files": {"one": "?"}}, "connectors.files.one", "? has no place"),
        ({"files": {"One Two": "a/{x}"}}, "connectors.files.One Two", "a-z 0-9"),
        ({"files": {"one": "a/{x}", "two": "a/#"}}, "connectors.files.two", "files.one"),
        ({"fles": {"one": "a"}}, "connectors.fles", "those that do: files"),
        ({"alpha": {"one": "a"}}, "connectors.alpha", "takes no configuration files"),
    ],
)
def test_a_configuration_at_fault_is_named(
    folder: Folder, configurations: dict[str, dict[str, str]], setting: str, fragment: str
) -> None:
    folder.add("files", CONFIGURABLE)
    folder.add("alpha", GOOD.format(name="alpha"))
    with pytest.raises(SettingsError) as caught:
        discover(folder.package(), configurations)
    assert caught.value.setting == setting
    assert fragment in caught.value.detail


def test_the_hub_ships_its_families_without_overlap() -> None:
    assert [c.name for c in discover(connectors)] == ["chirpstack", "native", "ttn"]


def test_importing_a_connector_writes_and_prints_nothing(tmp_path: Path) -> None:
    code = "import connectors, hub.sdk; print([c.name for c in hub.sdk.discover(connectors)])"
    root = Path(connectors.__file__).parent.parent
    done = subprocess.run(
        [sys.executable, "-B", "-c", f"import sys; sys.path.insert(0, {str(root)!r}); {code}"],
        capture_output=True, text=True, check=True, cwd=tmp_path,
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("['chirpstack', 'native', 'ttn']\n", "")
    assert not list(tmp_path.iterdir())
