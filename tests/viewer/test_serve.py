"""The page itself: answered on this machine alone, used with a real Chromium."""

from __future__ import annotations

import builtins
import http.client
import shutil
import socket
import threading
import urllib.request

import pytest

import neurodrift as nd
from neurodrift.curation import read_curation
from neurodrift.viewer.cells import Cells
from neurodrift.viewer.marks import Marks
from neurodrift.viewer.serve import farewell, serve, view

pytest.importorskip("panel", reason="the extra view is not installed")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)


@pytest.fixture
def opened():
    """Serve, and end what is served."""
    pages = []

    def open_one(cells, path, **options):
        pages.append(serve(cells, Marks(path, of="mouse", **options)))
        return pages[-1]

    yield open_one
    for page in pages:
        page.stop()
        assert not page.thread.is_alive()


@pytest.fixture
def browser():
    if CHROMIUM is None:
        pytest.skip("no Chromium on the path: apt-get install chromium")
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with api.sync_playwright() as playwright:
        made = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--disable-quic"]
        )
        yield made
        made.close()


def test_serve__answers_this_machine_alone_and_ends(opened, mouse, tmp_path):
    page = opened(Cells(None, mouse), tmp_path / "c.yaml")
    assert page.address.startswith("http://127.0.0.1:")
    port = page.server.port
    (listening,) = {s.getsockname()[0] for s in page.server._http._sockets.values()}
    assert listening == "127.0.0.1"
    assert b"neurodrift" in urllib.request.urlopen(page.address, timeout=10).read()
    asked = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    headers = {"Origin": "http://evil.example", "Upgrade": "websocket", "Connection": "Upgrade"}
    headers |= {"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version": "13"}
    asked.request("GET", "/ws", headers=headers)
    assert asked.getresponse().status == 403
    asked.close()
    page.stop()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5)


def test_serve__port_that_is_taken(mouse, tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=f"port {port} of 127.0.0.1 cannot be used"):
            serve(Cells(None, mouse), Marks(tmp_path / "c.yaml", of="mouse"), port=port)


def test_view__ends_and_says_what_became_of_the_marks(mouse, tmp_path, capsys, monkeypatch):
    from neurodrift.viewer import serve as module

    def interrupted(served):
        served.marks.put("3")
        raise KeyboardInterrupt

    monkeypatch.setattr(module.Served, "wait", interrupted)
    served = view(mouse, curation=tmp_path / "c.yaml", browser=False)
    assert not served.thread.is_alive()
    said = capsys.readouterr().out.splitlines()
    assert said[0].endswith("Ctrl-C ends it") and "127.0.0.1" in said[0]
    assert said[-1] == "ended: marks of 1 cell were NOT saved"
    served.marks.save()
    assert farewell(served.marks) == f"ended: 1 cell left out in {tmp_path / 'c.yaml'}"
    assert threading.active_count() < 20


def test_view__says_what_is_missing(mouse, tmp_path, monkeypatch):
    with pytest.raises(TypeError, match="expected results or a recording"):
        view("mouse.zarr", curation=tmp_path / "c.yaml")
    real = builtins.__import__

    def without(name, *rest, **options):
        if name.split(".")[0] in ("panel", "bokeh"):
            raise ImportError(name)
        return real(name, *rest, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match=r"neurodrift\[view\]"):
        view(mouse, curation=tmp_path / "c.yaml", browser=False)


def test_page__turn_mark_and_save(opened, browser, results, mouse, tmp_path):
    path = tmp_path / "c.yaml"
    served = opened(Cells(results, mouse), path)
    errors, asked = [], []
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(10_000)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on(
        "console",
        lambda m: errors.append(m.text) if m.type in ("error", "warning") else None,
    )
    page.on("request", lambda request: asked.append(request.url))
    page.goto(served.address)
    head = page.locator(".head h1")
    head.get_by_text("Cell 0", exact=True).wait_for()
    page.locator(".bk-Canvas canvas").first.wait_for()
    page.locator(".next button").click()
    head.get_by_text("Cell 1", exact=True).wait_for()
    page.locator(".note input").fill("dendrite of 7")
    page.locator(".out button").click()
    page.locator(".head .out").get_by_text("left out").wait_for()
    page.locator(".head h1").click()
    page.keyboard.press("j")
    head.get_by_text("Cell 2", exact=True).wait_for()
    assert page.locator(".note input").input_value() == ""
    page.keyboard.press("x")
    page.locator(".head .out").get_by_text("left out").wait_for()
    page.keyboard.press("s")
    page.locator(".said").get_by_text("saved: 2 cells").wait_for()
    found = read_curation(path).entries
    assert [(entry.unit, entry.reason) for entry in found] == [
        ("1", "dendrite of 7"),
        ("2", "left out by eye"),
    ]
    assert nd.analyze(mouse, measures=["sparsity"], curation=path)["sparsity"].sizes["unit"] == 10
    for tab in ("laps", "pair", "drift"):
        page.get_by_role("button", name=tab, exact=True).click()
        page.locator(".bk-Canvas canvas").first.wait_for()
    page.set_viewport_size({"width": 390, "height": 800})
    page.wait_for_timeout(300)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert errors == []
    outside = [url for url in asked if not url.startswith((served.address, "data:", "blob:"))]
    assert outside == []
    page.close()


@pytest.mark.parametrize("kind", ["field", "still", "one", "network"])
def test_page__every_tab_of_other_recordings(opened, browser, mouse, tmp_path, kind):
    recording = {
        "field": lambda: nd.testing.open_field(n_units=4, n_sessions=2, minutes=2),
        "still": lambda: mouse.drop_vars(["x", "speed", "direction", "lap"], errors="ignore"),
        "one": lambda: nd.select_sessions(mouse, ["1"]),
        "network": lambda: nd.load_example("network"),
    }[kind]()
    served = opened(Cells(None, recording), tmp_path / "c.yaml")
    page = browser.new_page(viewport={"width": 1000, "height": 800})
    page.set_default_timeout(10_000)
    page.goto(served.address)
    page.locator(".head h1").wait_for()
    tabs = page.locator(".tabs button")
    tabs.first.wait_for()
    assert tabs.count() == (2 if kind == "one" else 4)
    for i in range(tabs.count()):
        name = tabs.nth(i).inner_text()
        tabs.nth(i).click()
        page.wait_for_timeout(200)
        if (kind, name) == ("still", "drift"):  # there are no maps to correlate
            page.locator(".body").get_by_text("is shown of results").wait_for()
            continue
        drawn = page.locator(".body .bk-Canvas canvas")
        drawn.first.wait_for()
        assert drawn.count() >= 1, name
    page.close()
