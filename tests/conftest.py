from __future__ import annotations

import http.server
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from html.parser import HTMLParser
from pathlib import Path

import pytest

Serve = Callable[[Callable[..., http.server.BaseHTTPRequestHandler]], str]

REPOSITORY = Path(__file__).resolve().parents[1]
_HOSTILE = "\"><img src=x onerror=alert(1)></script><script>alert('ü')</script>&amp;"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real data that is never committed."""
    path = Path(os.environ.get("NEURODRIFT_DATA", REPOSITORY.parent / "shared" / "data"))
    if not path.is_dir():
        pytest.skip(f"real data are absent: no folder {path}; set NEURODRIFT_DATA to it")
    return path


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """Run a local web server with a handler until the test is over; its address."""
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    with ExitStack() as stack:

        def run(handler: Callable[..., http.server.BaseHTTPRequestHandler]) -> str:
            made = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
            server = stack.enter_context(made)
            thread = threading.Thread(target=server.serve_forever, daemon=True)
            thread.start()
            stack.callback(thread.join)
            stack.callback(server.shutdown)
            return f"http://127.0.0.1:{server.server_address[1]}"

        yield run


class _Page(HTMLParser):
    """Elements of a page with their attributes and text."""

    VOID = {"meta", "link", "input", "br", "img", "hr", "path", "circle", "line", "rect", "polygon"}

    def __init__(self, html: str):
        super().__init__()
        self.elements: list[dict] = []
        self._open: list[dict] = []
        self.unbalanced: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        element = {"tag": tag, "text": "", **{key: value or "" for key, value in attrs}}
        self.elements.append(element)
        if tag not in self.VOID:
            self._open.append(element)

    def handle_startendtag(self, tag, attrs):
        self.elements.append({"tag": tag, "text": "", **dict(attrs)})

    def handle_endtag(self, tag):
        if not self._open or self._open[-1]["tag"] != tag:
            self.unbalanced.append(tag)
        else:
            self._open.pop()

    def handle_data(self, data):
        for element in self._open:
            element["text"] += data

    def all(self, tag=None, **attributes):
        wanted = {key.rstrip("_").replace("_", "-"): value for key, value in attributes.items()}
        return [
            element
            for element in self.elements
            if (tag is None or element["tag"] == tag)
            and all(element.get(key) == value for key, value in wanted.items())
        ]


@pytest.fixture(scope="session")
def parse():
    """Read a page into its elements."""
    return _Page


@pytest.fixture(scope="session")
def hostile_text() -> str:
    """A label that would break out of any markup."""
    return _HOSTILE
