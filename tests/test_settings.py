# SPDX-License-Identifier: EUPL-1.2
"""Settings that make no sense stop the start with the name of the setting."""

from pathlib import Path

import pytest

from hub.core.errors import SettingsError
from hub.settings import check_broker, check_exposure, load_settings, secret_of
from hub.settings_sections import is_loopback


def load(tmp_path: Path, text: str) -> object:
    file = tmp_path / "cityhub.toml"
    file.write_text(text, encoding="utf-8")
    return load_settings(file)


@pytest.mark.parametrize(
    ("text", "setting"),
    [
        ("[mqtt]\nport = 99999", "mqtt.port"),
        ("[mqtt]\nprot = 1883", "mqtt.prot"),
        ("[mqtt]\nclient_id = 'a b'", "mqtt.client_id"),
        ("[stroe]\nkind = 'sqlite'", "stroe"),
        ("[store]\nkind = 'oracle'", "store.kind"),
        ("[influx]\nurl = 'localhost'", "influx.url"),
        ("[influx]\ntoken_file = '/does/not/exist'", "influx.token_file"),
        ("[city]\nfile = '/does/not/exist.yaml'", "city.file"),
        ("[indicators]\ndefinitions = '/does/not/exist'", "indicators.definitions"),
        ("[ingest]\nmax_payload_bytes = 1", "ingest.max_payload_bytes"),
        ("[retention]\nairr = 30", "retention.airr"),
        ("[retention]\nair = 1", "retention.air"),
        ("[mqtt]\nport = ", "cityhub.toml"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, text: str, setting: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, text)
    assert caught.value.setting == setting


def test_a_misspelt_environment_variable_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CITYHUB_MQT__PORT", "1883")
    with pytest.raises(SettingsError, match="CITYHUB_MQT__PORT"):
        load(tmp_path, "")


def test_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CITYHUB_MQTT__PORT", "2883")
    file = tmp_path / "cityhub.toml"
    file.write_text("[mqtt]\nport = 1884\nclient_id = 'from-file'", encoding="utf-8")
    settings = load_settings(file)
    assert (settings.mqtt.port, settings.mqtt.client_id) == (2883, "from-file")


def test_days_to_keep_are_ns_by_domain_from_file_and_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CITYHUB_RETENTION__NOISE", "2")
    file = tmp_path / "cityhub.toml"
    file.write_text("[retention]\nair = 3650", encoding="utf-8")
    assert load_settings(file).keep == {"air": 3650 * 86_400 * 10**9, "noise": 2 * 86_400 * 10**9}


def test_a_missing_settings_file_is_an_error_only_when_it_was_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"nowhere\.toml"):
        load_settings(tmp_path / "nowhere.toml")


def test_secrets_never_show_in_errors_or_settings(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, "[influx]\ntoken = ['hunter2']")
    assert "hunter2" not in str(caught.value)
    assert "hunter2" not in repr(load(tmp_path, "[influx]\ntoken = 'hunter2'"))


def test_a_secret_may_stand_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("s3cret\n", encoding="utf-8")
    assert secret_of(None, file, "x") == "s3cret"
    file.write_text(" \n", encoding="utf-8")
    with pytest.raises(SettingsError, match="empty"):
        secret_of(None, file, "x")


@pytest.mark.parametrize(
    ("text", "has_key", "setting"),
    [
        ("[api]\nhost = '0.0.0.0'", False, "api.host"),
        ("[mqtt]\nbind = '0.0.0.0'\nanonymous = true", True, "mqtt.anonymous"),
        ("[mqtt]\nbind = 'hub.example'\nanonymous = true", True, "mqtt.anonymous"),
    ],
)
def test_nothing_unguarded_listens_beyond_loopback(tmp_path: Path, text: str, has_key: bool, setting: str) -> None:
    def check() -> None:
        check_broker(load(tmp_path, text))  # type: ignore[arg-type]
        check_exposure(load(tmp_path, text), has_key)  # type: ignore[arg-type]

    with pytest.raises(SettingsError) as caught:
        check()
    assert caught.value.setting == setting


@pytest.mark.parametrize("text", ["", "[api]\nhost = '0.0.0.0'", "[mqtt]\nhost = 'broker.example'\nbind = '0.0.0.0'"])
def test_guarded_listeners_are_allowed(tmp_path: Path, text: str) -> None:
    check_broker(load(tmp_path, text))  # type: ignore[arg-type]
    check_exposure(load(tmp_path, text), has_key=True)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("127.0.0.1", True), ("127.8.8.8", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("hub", False)],
)
def test_loopback(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback
