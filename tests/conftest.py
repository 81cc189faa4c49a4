from __future__ import annotations

import http.server
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

Serve = Callable[[Callable[..., http.server.BaseHTTPRequestHandler]], str]

REPOSITORY = Path(__file__).resolve().parents[1]


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
