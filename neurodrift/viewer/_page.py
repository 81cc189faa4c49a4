"""The page of the view, laid out with panel; what is shown and chosen is in the other files."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Any

import numpy as np
import panel as pn
from panel.custom import JSComponent

from neurodrift.viewer import _figures as figures
from neurodrift.viewer.turning import Turning

TABS = ("days", "laps", "pair", "drift")
KEYS = (
    "j or \u2193 next, k or \u2191 previous, x leave out, X of this session, "
    "\u2190 \u2192 session, s save"
)
_NARROW = "@media (max-width: 640px) { %s }"
_TEXT = """
:host { font-family: system-ui, sans-serif; color: #26323f; font-size: 14px; }
h1 { font-size: 20px; margin: 0; } p { margin: 2px 0; line-height: 1.45; }
.out { color: #c2410c; font-weight: 600; } .faint { color: #5b6876; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th { font-weight: 500; color: #5b6876; text-align: right; }
th, td { padding: 2px 10px 2px 0; white-space: nowrap; text-align: right; }
th:first-child, td:first-child { text-align: left; }
tr.here td { background: #fdf1e7; } tr.lost td { color: #8b97a3; }
"""


class Keys(JSComponent):  # type: ignore[misc]
    """Keys that are pressed anywhere on the page but in a field of text."""

    _esm = """
    const known = ['j', 'k', 'x', 'X', 's', 'ArrowDown', 'ArrowUp', 'ArrowLeft', 'ArrowRight'];
    export function render({model}) {
      const heard = event => {
        const at = event.composedPath()[0];
        const typing = at.tagName && ['INPUT', 'TEXTAREA', 'SELECT'].includes(at.tagName);
        if (typing && at.type !== 'radio' && at.type !== 'checkbox') { return; }
        if (event.ctrlKey || event.metaKey || event.altKey) { return; }
        if (!known.includes(event.key)) { return; }
        event.preventDefault();
        model.send_msg(event.key);
      };
      document.addEventListener('keydown', heard);
      model.on('remove', () => document.removeEventListener('keydown', heard));
    }
    """

    def __init__(self, heard: Callable[[str], None], **options: Any) -> None:
        super().__init__(**options)
        self._heard = heard

    def _handle_msg(self, msg: Any) -> None:
        self._heard(str(msg))


class Page:
    """One reader's page: what is chosen is the reader's own, marks are shared.

    Parameters
    ----------
    turning
        What is chosen.
    """

    def __init__(self, turning: Turning) -> None:
        self.turning = turning
        cells = turning.cells
        self._quiet = False  # while widgets follow what was chosen elsewhere
        wide: dict[str, Any] = {"sizing_mode": "stretch_width", "margin": (3, 8)}
        self.filter = pn.widgets.Select(
            label="Show", options=list(turning.filters), css_classes=["filter"], **wide
        )
        self.list = pn.widgets.Select(
            label=f"{cells.noun.capitalize()}s",
            size=16,
            css_classes=["list"],
            stylesheets=[_NARROW % "select { height: 96px !important; }"],
            **wide,
        )
        button: dict[str, Any] = {"sizing_mode": "stretch_width", "margin": (3, 4)}
        self.previous = pn.widgets.Button(
            label="\u2190 previous", css_classes=["previous"], **button
        )
        self.next = pn.widgets.Button(label="next \u2192", css_classes=["next"], **button)
        self.note = pn.widgets.TextInput(
            label="Reason", placeholder="left out by eye", css_classes=["note"], **wide
        )
        self.out = pn.widgets.Button(css_classes=["out"], **wide)
        self.out_here = pn.widgets.Button(css_classes=["out-here"], **wide)
        self.save = pn.widgets.Button(label="Save", color="primary", css_classes=["save"], **wide)
        self.said = pn.pane.HTML("", css_classes=["said"], stylesheets=[_TEXT], **wide)
        self.head = pn.pane.HTML("", css_classes=["head"], stylesheets=[_TEXT], **wide)
        self.tab = pn.widgets.RadioButtonGroup(
            options=self._tabs(), css_classes=["tabs"], sizing_mode="stretch_width", margin=(3, 8)
        )
        sessions = dict(zip(cells.titles, range(len(cells.titles)), strict=False))
        if len(sessions) < len(cells.titles):  # titles that stand twice
            numbered = [f"{i + 1}: {title}" for i, title in enumerate(cells.titles)]
            sessions = dict(zip(numbered, range(len(numbered)), strict=True))
        choose: dict[str, Any] = {"options": sessions, "width": 150, "margin": (3, 8)}
        self.session = pn.widgets.Select(label="Session", css_classes=["session"], **choose)
        self.first = pn.widgets.Select(label="Session a", css_classes=["first"], **choose)
        self.second = pn.widgets.Select(label="Session b", css_classes=["second"], **choose)
        self.body = pn.Column(sizing_mode="stretch_width", css_classes=["body"])
        self.keys = Keys(self._key, sizing_mode="fixed", width=1, height=1, margin=0)
        self._listen()
        self.refresh()

    def _tabs(self) -> list[str]:
        """What there is to show: one session has no pair and no drift."""
        several = len(self.turning.cells.sessions) > 1
        return [name for name in TABS if several or name in ("days", "laps")]

    def _listen(self) -> None:
        self.filter.param.watch(self._asked(self._filter), "value")
        self.list.param.watch(self._asked(self._choose), "value")
        self.tab.param.watch(self._asked(lambda: self.refresh(listed=False)), "value")
        for widget in (self.session, self.first, self.second):
            widget.param.watch(self._asked(self._sessions), "value")
        self.note.param.watch(self._asked(self._note), "value")
        self.previous.on_click(lambda _: self._key("k"))
        self.next.on_click(lambda _: self._key("j"))
        self.out.on_click(lambda _: self._key("x"))
        self.out_here.on_click(lambda _: self._key("X"))
        self.save.on_click(lambda _: self._key("s"))

    def _asked(self, act: Callable[[], None]) -> Callable[[Any], None]:
        """Act where a reader changed a widget, not where it follows."""

        def heard(_: Any) -> None:
            if not self._quiet:
                act()

        return heard

    # ------------------------------------------------------------------ what is asked for

    def _key(self, key: str) -> None:
        """What a key, or the button that stands for it, asks for."""
        turning, said = self.turning, ""
        if key in ("j", "ArrowDown", "k", "ArrowUp"):
            turning.step(1 if key in ("j", "ArrowDown") else -1)
        elif key in ("ArrowLeft", "ArrowRight"):
            turning.step_session(1 if key == "ArrowRight" else -1)
        elif key == "x":
            turning.mark(self.note.value_input or "")
        elif key == "X":
            said = turning.mark_session(self.note.value_input or "")
        elif key == "s":
            said = self._saved()
        self.refresh(said=said, drawn=key not in ("x", "X", "s"))

    def _saved(self) -> str:
        try:
            path = self.turning.marks.save()
        except (OSError, ValueError) as error:
            return f"not saved: {error}"
        n = self.turning.marks.n_units
        return f"saved: {n} {self.turning.cells.noun}{'' if n == 1 else 's'} in {path}"

    def _filter(self) -> None:
        self.turning.choose_filter(self.filter.value)
        self.refresh()

    def _choose(self) -> None:
        if self.list.value is not None:
            self.turning.unit = int(self.list.value)
            self.refresh()

    def _sessions(self) -> None:
        self.turning.session = int(self.session.value)
        self.turning.pair = (int(self.first.value), int(self.second.value))
        self.refresh(listed=False)

    def _note(self) -> None:
        self.turning.note(self.note.value)
        self.refresh(drawn=False)

    # ------------------------------------------------------------------ what is shown

    def refresh(self, *, said: str = "", listed: bool = True, drawn: bool = True) -> None:
        """Show what is chosen.

        Parameters
        ----------
        said
            A sentence beside the button that saves.
        listed, drawn
            Whether the list and the pictures may have changed.
        """
        self._quiet = True
        try:
            if listed:
                self._show_list()
            self.session.value = self.turning.session
            self.first.value, self.second.value = self.turning.pair
            if drawn or not self.note.value_input:
                self.note.value = self.note.value_input = self.turning.reason
            self._show_marks(said)
            self.head.object = self._words()
            if drawn:
                self.body[:] = self._content()
        finally:
            self._quiet = False

    def _show_list(self) -> None:
        turning, cells = self.turning, self.turning.cells
        place = cells.is_place_cell
        options: dict[str, int] = {}
        for i in turning.listed():
            name = cells.units[i]
            ever = " \u25cf" if place is not None and place[:, i].any() else ""
            left = self._left_out(i)
            options[name + ever + (f"  \u2717 {left}" if left else "")] = i
        self.list.options = options
        self.list.value = turning.unit if turning.unit in options.values() else None
        self.list.label = f"{len(options)} of {len(cells.units)} {cells.noun}s"

    def _left_out(self, unit: int) -> str:
        marks, label = self.turning.marks, self.turning.cells.units[unit]
        if marks.is_left_out(label):
            return "left out"
        some = marks.sessions_without(label)
        return f"in {len(some)} session{'' if len(some) == 1 else 's'}" if some else ""

    def _show_marks(self, said: str) -> None:
        turning, marks = self.turning, self.turning.marks
        label = turning.label
        out = marks.is_left_out(label)
        here = turning.cells.sessions[turning.session] in marks.sessions_without(label)
        self.out.label = "Take back" if out else f"Leave out this {turning.cells.noun}"
        self.out.color = "default" if out else "warning"
        title = turning.cells.titles[turning.session]
        title = title if title.startswith("step ") else f"session {title}"
        self.out_here.label = f"Take back in {title}" if here else f"Leave out in {title} only"
        self.out_here.disabled = out or turning.unit is None
        self.out.disabled = turning.unit is None
        state = "not saved yet" if marks.unsaved else ""
        text = said or state or f"marks go to {marks.path}"
        self.said.object = f"<p class='{'out' if 'not ' in text else 'faint'}'>{escape(text)}</p>"

    def _words(self) -> str:
        """The chosen cell and its verdicts."""
        turning, cells = self.turning, self.turning.cells
        if turning.unit is None:
            return f"<h1>{escape(cells.name)}</h1><p>There is no {cells.noun}.</p>"
        left = self._left_out(turning.unit)
        mark = f" <span class='out'>\u2717 {escape(left)}</span>" if left else ""
        n = int(cells.detected[:, turning.unit].sum())
        words = f"detected in {n} of {len(cells.sessions)} session{'s' * (len(cells.sessions) > 1)}"
        place = cells.is_place_cell
        if place is not None:
            words += f", place cell in {int(place[:, turning.unit].sum())}"
        return (
            f"<h1>{cells.noun.capitalize()} {escape(turning.label)}{mark}</h1>"
            f"<p class='faint'>{escape(cells.name)} \u00b7 {words}</p>"
        )

    def _content(self) -> list[Any]:
        turning, cells = self.turning, self.turning.cells
        if turning.unit is None:
            return []
        unit, tab = turning.unit, self.tab.value
        if tab == "days":
            drawn = figures.maps_of_days(cells, unit, turning.session)
            return [_laid(drawn), *self._table(unit)]
        if tab == "laps":
            return [self.session, *self._laps(unit)]
        if tab == "pair":
            return [pn.FlexBox(self.first, self.second), *self._pair()]
        own = cells.correlations(unit)
        drawn = figures.drift(cells.curve(), own, cells, unit)
        told = []
        if not cells.has_results:
            told = [_text(f"The curve of all {cells.noun}s is shown of results: analyze first.")]
        return [_laid(drawn), *told]

    def _laps(self, unit: int) -> list[Any]:
        cells, session = self.turning.cells, self.turning.session
        if not cells.detected[session, unit]:
            return [_text(f"This {cells.noun} was not detected in this session.")]
        found = cells.raster(unit, session)
        if found is not None:
            frames = f"{found.n_active:,} frame{'' if found.n_active == 1 else 's'} with activity"
            some = f", {found.x.size:,} of them drawn" if found.x.size < found.n_active else ""
            return [_laid([figures.raster(found)]), _text(f"{frames}{some}.")]
        laps = cells.lap_map(unit, session)
        if laps is not None:
            return [_laid(figures.lap_map(laps))]
        return [
            _text(
                f"Laps of this {cells.noun} are not in the results, which hold those of a few "
                "examples: give the recording beside them (--recording)."
            )
        ]

    def _pair(self) -> list[Any]:
        turning, cells = self.turning, self.turning.cells
        a, b = turning.pair
        found = cells.pair(a, b)
        n = found.a.sizes["unit"]
        numbers = ", ".join(
            f"{name.replace('_', ' ')} {value:.2f}"
            for name, value in found.numbers.items()
            if np.isfinite(value)
        )
        which = "" if cells.is_place_cell is None else ", place cells of either where there are any"
        text = f"{n} {cells.noun}s detected in both{which}"
        along = "position" in found.a.dims and "y_bin" not in found.a.coords
        text += ". Sorted by the peaks of session a." if along else "."
        parts = [_text(f"{text} {numbers[:1].upper()}{numbers[1:]}{'.' if numbers else ''}")]
        if n:
            titles = (cells.titles[a], cells.titles[b])
            drawn = figures.pair_maps(found, titles, turning.label, cells.noun)
            if "y_bin" in found.a.coords and turning.unit is not None:
                boxes = figures.maps_of_pair(cells, turning.unit, turning.pair)
                drawn = [[*boxes, *drawn[0]]]
            parts += [_laid(row, 290) for row in drawn]
        return parts

    def _table(self, unit: int) -> list[Any]:
        """Verdicts of one cell as a table; nothing where there are none."""
        cells = self.turning.cells
        table = cells.verdicts(unit)
        heads = {"events": "events", "information": "bit/event", "p": "p"}
        shown = {k: v for k, v in heads.items() if np.isfinite(table[k].astype(float)).any()}
        place = table["place_cell"].notna().any()
        if not shown and not place and table["detected"].all():
            return []
        rows = []
        for i, (title, row) in enumerate(table.iterrows()):
            here = "here" if i == self.turning.session else ""
            lost = "" if row["detected"] else "lost"
            values = [_number(name, row[name]) for name in shown]
            if place:
                verdict = "\u25cf" if row["place_cell"] else ""
                values.append(verdict if row["detected"] else "not detected")
            elif not row["detected"]:
                values.append("not detected")
            inner = "".join(f"<td>{value}</td>" for value in values)
            rows.append(f"<tr class='{here} {lost}'><td>{escape(str(title))}</td>{inner}</tr>")
        names = [*shown.values(), *(["place cell"] if place else [])]
        head = "".join(f"<th>{name}</th>" for name in ["session", *names])
        said = (
            ""
            if cells.has_results or not cells.has_maps
            else ("<p class='faint'>Not tested for place cells: that is done by analyze.</p>")
        )
        found = pn.pane.HTML(
            f"<table><tr>{head}</tr>{''.join(rows)}</table>{said}",
            stylesheets=[_TEXT],
            css_classes=["verdicts"],
            sizing_mode="stretch_width",
            margin=(3, 8),
            styles={"overflow-x": "auto"},
        )
        return [found]

    def layout(self) -> Any:
        """Everything, in one column where the window is narrow."""
        side = pn.Column(
            self.filter,
            self.list,
            pn.Row(self.previous, self.next, sizing_mode="stretch_width", margin=(0, 4)),
            self.note,
            self.out,
            self.out_here,
            self.save,
            self.said,
            _text(KEYS, _NARROW % ":host { display: none; }"),
            self.keys,
            styles={"flex": "1 1 250px", "max-width": "100%", "min-width": "240px"},
        )
        main = pn.Column(
            self.head,
            self.tab,
            self.body,
            styles={"flex": "999 1 0", "min-width": "min(100%, 380px)"},
        )
        return pn.FlexBox(
            side,
            main,
            flex_direction="row",
            flex_wrap="wrap",
            align_items="flex-start",
            sizing_mode="stretch_width",
        )


def _laid(drawn: list[Any], least: int = 380) -> Any:
    """Pictures side by side, as many as fit with a least width [pixels]."""
    panes = []
    for plot in drawn:
        fixed = plot.sizing_mode is None
        width = "0 0 auto" if fixed else "1 1 300px"
        panes.append(
            pn.pane.Bokeh(
                plot,
                sizing_mode=None if fixed else "stretch_width",
                styles={"flex": width, "min-width": "0", "max-width": "100%"},
            )
        )
    if any(plot.sizing_mode is None for plot in drawn):
        return pn.FlexBox(*panes, sizing_mode="stretch_width")
    if len(drawn) == 1:
        return panes[0]
    columns = f"repeat(auto-fit, minmax(min(100%, {least}px), 1fr))"
    grid = {"display": "grid", "grid-template-columns": columns}
    return pn.Column(*panes, sizing_mode="stretch_width", styles=grid)


def _text(words: str, style: str = "") -> Any:
    return pn.pane.HTML(
        f"<p class='faint'>{escape(words)}</p>",
        stylesheets=[_TEXT, style],
        sizing_mode="stretch_width",
        margin=(3, 8),
    )


def _number(name: str, value: float) -> str:
    if not np.isfinite(value):
        return "\u2013"
    if name == "events":
        return f"{value:,.0f}"
    if name == "p" and value < 0.001:
        return "&lt;\u202f0.001"
    return f"{value:.3f}" if name == "p" else f"{value:.2f}"
