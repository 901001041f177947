# SPDX-License-Identifier: EUPL-1.2
"""Charts of any quantity, read with the corrections applied; doubtful readings and corrected stretches are marked."""

import asyncio
from collections.abc import Sequence

import numpy as np
from nicegui import ui

from hub.console._values import Speaker
from hub.console.desk._curves import doubtful, local_ms, points
from hub.console.desk._frame import Visit, frame
from hub.console.formats import Formats
from hub.core.corrections import in_effect
from hub.core.errors import NotFound
from hub.core.indicators import Correction
from hub.core.readings import Columns, Origin, Series
from hub.core.rights import Action, Caller
from hub.core.windows import HOUR
from hub.indicators.corrections import corrected

_MOST = 8
_HOURS = {"day": 24, "week": 168, "month": 744}


async def charts_page(v: Visit) -> None:
    """Show it."""
    services = v.desk.console
    speaker = await asyncio.to_thread(Speaker.of, services, v.language)
    mine = {d.id: d for d in speaker.registry.devices.values() if v.caller.reaches(Action.READ, d.owner)}
    devices = {id_: speaker.named(device)[0] for id_, device in mine.items()}
    quantities = {q.id: f"{q.title.get(v.language, q.id)} ({q.symbol})" for q in services.quantities}
    with frame(v, simulated=any(d.origin is Origin.SIMULATED for d in mine.values())):
        with ui.element("div").classes("desk-row"):
            quantity = ui.select(quantities, label=v.t("quantity"), with_input=True)
            chosen = ui.select(devices, label=v.t("device"), multiple=True, with_input=True, value=[])
            period = ui.select({key: v.t(key) for key in _HOURS}, value="day", label=v.t("period"))
            for choice, width in ((quantity, 18), (chosen, 26), (period, 8)):
                choice.props("outlined dense").style(f"min-width:{width}rem")
            button = ui.button(v.t("show"), color=None).props("outline no-caps")
        note = ui.label(v.t("choose")).props("role=status").classes("desk-note")
        chart = ui.echart({"series": []}).style("height:calc(100vh - 16rem);min-height:22rem;background:#fff")
        chart.props(f'role=img aria-label="{v.t("charts")}"')

        async def draw(caller: Caller) -> None:
            wanted = list(chosen.value or [])
            if not quantity.value or not 1 <= len(wanted) <= _MOST:
                note.set_text(v.t("choose"))
                return
            if not all(d in mine and caller.reaches(Action.READ, mine[d].owner) for d in wanted):
                raise NotFound(v.t("refused"))
            series = [Series(device, quantity.value) for device in wanted]
            now = services.clock_ns()
            made = in_effect(await asyncio.to_thread(v.desk.corrections.after))
            columns = await services.readings.scan(series, now - _HOURS[period.value] * HOUR, now + HOUR)
            columns = await asyncio.to_thread(corrected, columns, made)
            chart.options.clear()
            chart.options.update(options(v, columns, made, devices, quantities[quantity.value], now))
            chart.update()
            zone = Formats(v.language, services.zone).zone_at(now)
            note.set_text(v.t("drawn", n=len(columns), zone=zone) if len(columns) else v.t("no_readings"))

        button.on_click(lambda: v.act(Action.READ, draw))


def options(
    v: Visit, columns: Columns, made: Sequence[Correction], names: dict[str, str], title: str, now: int
) -> dict[str, object]:
    """The chart in ECharts' words: a line a device, doubtful readings as points, corrections as areas."""
    zone, curves = v.desk.console.zone, []
    for number, series in enumerate(columns.series):
        rows = np.flatnonzero(columns.index == number)
        if not len(rows):
            continue
        time, value, bad = columns.time[rows], columns.value[rows], doubtful(columns.flag[rows])
        first, last = int(time[0]), int(time[-1])
        areas = [
            [
                {"name": v.t("corrected"), "xAxis": _at(max(c.start, first), v, now)},
                {"xAxis": _at(min(c.end, last), v, now)},
            ]
            for c in made
            if c.device == series.device and c.quantity in {None, series.quantity}
            and c.start <= last and c.end > first
        ]  # fmt: skip
        curves.append({"type": "line", "name": names[series.device], "showSymbol": False,
                       "data": points(time, value, zone, now), "markArea": {"data": areas}})  # fmt: skip
        if bad.any():
            name = f"{names[series.device]}: {v.t('flagged')}"
            marks = points(time[bad], value[bad], zone, now)
            curves.append({"type": "scatter", "name": name, "symbol": "triangle", "color": "#a3121f", "data": marks})
    return {
        "useUTC": True,
        "animation": False,
        "legend": {"type": "scroll", "top": 8},
        "grid": {"left": 64, "right": 32, "top": 72, "bottom": 84},
        "tooltip": {"trigger": "axis"},
        "xAxis": {"type": "time"},
        "yAxis": {"type": "value", "name": title, "scale": True, "nameTextStyle": {"align": "left"}},
        "dataZoom": [{"type": "inside"}, {"type": "slider"}],
        "series": curves,
    }


def _at(time: int, v: Visit, now: int) -> int:
    return int(local_ms(np.array([time], dtype=np.int64), v.desk.console.zone, now)[0])
