from __future__ import annotations

import hashlib
import http.server
import io
import json
import os
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neurodrift.catalog import SCHEMA, DataSet, data_set, data_sets, fetch, simulations
from neurodrift.cli import main
from neurodrift.convert import CONVERTERS, WITHOUT_CONVERTER
from neurodrift.io.fetch import download
from neurodrift.simulate.continual.strokes import drawn_strokes, read_strokes

REPOSITORY = Path(__file__).resolve().parents[1]


@dataclass
class Server:
    """A local web server that can break off, ignore ranges, and remembers what was asked."""

    address: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    breaks: list[int] = field(default_factory=list)  # bytes after which each answer breaks off
    ranges: list[str | None] = field(default_factory=list)
    takes_ranges: bool = True
    has_tags: bool = True

    def url(self, name: str) -> str:
        return f"{self.address}/{name}"


class Handler(http.server.BaseHTTPRequestHandler):
    server_of: Server

    def do_GET(self) -> None:
        server = self.server_of
        server.ranges.append(self.headers.get("Range"))
        data = server.files.get(self.path.strip("/"))
        if data is None:
            self.send_error(404)
            return
        tag = '"' + hashlib.sha256(data).hexdigest()[:16] + '"'
        asked, condition = self.headers.get("Range"), self.headers.get("If-Range")
        start = 0
        if asked and server.takes_ranges and condition in (None, tag):
            start = int(asked.removeprefix("bytes=").rstrip("-"))
            if start >= len(data):
                self.send_error(416)
                return
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        else:
            self.send_response(200)
        if server.has_tags:
            self.send_header("ETag", tag)
        self.send_header("Content-Length", str(len(data) - start))
        self.end_headers()
        stop = start + server.breaks.pop(0) if server.breaks else len(data)
        self.wfile.write(data[start:stop])
        self.close_connection = True

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def server(serve: Callable[..., str]) -> Server:
    made = Server()
    made.address = serve(type("Bound", (Handler,), {"server_of": made}))
    return made


def archive(files: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as out:
        for name, data in files.items():
            out.writestr(name, data)
    return made.getvalue()


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


FILES = {"Data/C1.mat": os.urandom(300_000), "Data/notes.txt": b"x"}
ZIP = archive({f"repo-abc/{name}": data for name, data in FILES.items()})


def entry(server: Server, **changes: Any) -> DataSet:
    base = DataSet(
        name="toy",
        title="a toy",
        citation="Nobody (2026)",
        doi="10.1/toy",
        licence="CC0",
        access="open",
        how="https://example.org",
        converter=None,
        url=server.url("toy.zip"),
        strip=1,
        size=len(ZIP),
        unpacked=400_000,
        expected=("Data/*.mat",),
        sha256={"Data/C1.mat": sha(FILES["Data/C1.mat"])},
    )
    return replace(base, **changes)


# ---- download


def test_download__whole_and_verified(server: Server, tmp_path: Path) -> None:
    server.files["a"] = ZIP
    seen: list[tuple[int, int | None]] = []
    path = download(
        server.url("a"),
        tmp_path / "a.zip",
        sha256=sha(ZIP),
        max_bytes=10**6,
        progress=lambda have, whole: seen.append((have, whole)),
    )
    assert path.read_bytes() == ZIP and [p.name for p in tmp_path.iterdir()] == ["a.zip"]
    assert seen[-1] == (len(ZIP), len(ZIP))


def test_download__goes_on_within_a_call(server: Server, tmp_path: Path) -> None:
    server.files["a"], server.breaks = ZIP, [100_000, 50_000]
    path = download(server.url("a"), tmp_path / "a", max_bytes=10**6)
    assert path.read_bytes() == ZIP
    assert server.ranges == [None, "bytes=100000-", "bytes=150000-"]


def test_download__goes_on_in_the_next_call(server: Server, tmp_path: Path) -> None:
    server.files["a"], server.breaks = ZIP, [1000, 1000, 1000]
    with pytest.raises(OSError, match="interrupted after 3000 bytes.*again to go on"):
        download(server.url("a"), tmp_path / "a", max_bytes=10**6)
    assert not (tmp_path / "a").exists() and (tmp_path / "a.part").stat().st_size == 3000
    assert download(server.url("a"), tmp_path / "a", max_bytes=10**6).read_bytes() == ZIP
    assert server.ranges[-1] == "bytes=3000-"
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_download__a_changed_file_starts_again(server: Server, tmp_path: Path) -> None:
    server.files["a"], server.breaks = ZIP, [1000] * 3
    with pytest.raises(OSError, match="interrupted"):
        download(server.url("a"), tmp_path / "a", max_bytes=10**6)
    server.files["a"] = other = os.urandom(9000)
    assert download(server.url("a"), tmp_path / "a", max_bytes=10**6).read_bytes() == other
    server.files["a"], server.breaks, server.has_tags = ZIP, [len(ZIP) - 10, 0, 0], False
    short = b"tiny"  # the range that will be asked for is behind its end
    wanted: dict[str, Any] = {"sha256": sha(short), "max_bytes": 10**6}
    with pytest.raises(OSError, match=f"interrupted after {len(ZIP) - 10}"):
        download(server.url("a"), tmp_path / "b", **wanted)
    server.files["a"] = short
    assert download(server.url("a"), tmp_path / "b", **wanted).read_bytes() == short


@pytest.mark.parametrize("fault", ["takes_ranges", "has_tags"])
def test_download__servers_that_cannot_resume(fault: str, server: Server, tmp_path: Path) -> None:
    setattr(server, fault, False)
    server.files["a"], server.breaks = ZIP, [1000]
    assert download(server.url("a"), tmp_path / "a", max_bytes=10**6).read_bytes() == ZIP


def test_download__wrong_checksum_leaves_nothing(server: Server, tmp_path: Path) -> None:
    server.files["a"] = ZIP
    with pytest.raises(ValueError, match="another checksum than the catalogue's.*nothing was kept"):
        download(server.url("a"), tmp_path / "a", sha256="0" * 64, max_bytes=10**6)
    assert not any(tmp_path.iterdir())


def test_download__missing_larger_or_no_address(server: Server, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="server answers 404"):
        download(server.url("none"), tmp_path / "a", max_bytes=10**6)
    server.files["a"] = ZIP
    with pytest.raises(ValueError, match="larger than the 1000 bytes"):
        download(server.url("a"), tmp_path / "a", max_bytes=1000)
    for url in ("file:///etc/passwd", "ftp://example.org/a"):
        with pytest.raises(ValueError, match="no http or https"):
            download(url, tmp_path / "a", max_bytes=1000)
    with pytest.raises(OSError, match="interrupted after 0 bytes"):
        download("http://127.0.0.1:1/a", tmp_path / "a", max_bytes=10**6, timeout=1)
    assert not any(tmp_path.iterdir())


# ---- fetch


def test_fetch__files_of_the_archive(server: Server, tmp_path: Path) -> None:
    server.files["toy.zip"] = ZIP
    found = fetch(entry(server), tmp_path / "toy")
    assert [path.relative_to(tmp_path / "toy").as_posix() for path in found] == sorted(FILES)
    assert all((tmp_path / "toy" / name).read_bytes() == data for name, data in FILES.items())
    assert [p.name for p in tmp_path.iterdir()] == ["toy"]
    with pytest.raises(FileExistsError, match="toy exists"):
        fetch(entry(server), tmp_path / "toy")


def test_fetch__stroke_digits_are_read_as_they_are_published(
    server: Server, tmp_path: Path
) -> None:
    drawn = drawn_strokes(2, seed=3)
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as out:
        for part, one in drawn.items():
            texts = {f"{part}labels.txt": "\n".join(map(str, one.labels))}
            for i, rows in enumerate(np.split(one.movements, one.offsets[1:-1])):
                lines = [" ".join(map(str, row)) for row in rows]
                texts[f"{part}img-{i}-inputdata.txt"] = "\n".join(lines) + "\n"
            for name, text in texts.items():
                info = tarfile.TarInfo(f"sequences/{name}")
                info.size = len(text)
                out.addfile(info, io.BytesIO(text.encode()))
    server.files["sequences.tar.gz"] = made.getvalue()
    item = replace(data_set("smnist"), url=server.url("sequences.tar.gz"))
    fetch(item, tmp_path / "smnist")
    found = read_strokes(tmp_path / "smnist")
    for part, one in drawn.items():
        assert (found[part].movements == one.movements).all()
        assert (found[part].labels == one.labels).all()


def test_fetch__goes_on_after_an_interruption(server: Server, tmp_path: Path) -> None:
    server.files["toy.zip"], server.breaks = ZIP, [50_000] * 3
    with pytest.raises(OSError, match="interrupted after 150000"):
        fetch(entry(server), tmp_path / "toy")
    assert not (tmp_path / "toy").exists()
    fetch(entry(server), tmp_path / "toy")
    assert server.ranges[-1] == "bytes=150000-"
    assert [p.name for p in tmp_path.iterdir()] == ["toy"]


POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"
BAD: dict[str, tuple[dict[str, bytes], dict[str, Any], str]] = {
    "checksum of the archive": (FILES, {"url_sha256": "0" * 64}, "another checksum"),
    "checksum of a file": (FILES, {"sha256": {"Data/C1.mat": "0" * 64}}, "C1.mat has another"),
    "missing file": (FILES, {"sha256": {"Data/C9.mat": "0" * 64}}, "C9.mat is missing"),
    "not what is expected": (FILES, {"expected": ("Data/*.csv",)}, "no file matches"),
    "pointers": ({"Data/C1.mat": POINTER}, {"sha256": {}}, "pointer of Git LFS"),
    "zip slip": ({"../../evil": b"x"}, {"strip": 0}, "may lead out"),
    "bomb": (FILES | {"Data/bomb": bytes(10**7)}, {"size": 10**8}, "unpacks to more than"),
}


@pytest.mark.parametrize("fault", BAD)
def test_fetch__refuses_and_leaves_nothing(fault: str, server: Server, tmp_path: Path) -> None:
    files, changes, message = BAD[fault]
    server.files["toy.zip"] = archive(
        {name if ".." in name else f"repo/{name}": data for name, data in files.items()}
    )
    folder = tmp_path / "inner"
    folder.mkdir()
    with pytest.raises(ValueError, match=message):
        fetch(entry(server, **changes), folder / "toy")
    assert not any(folder.iterdir()) and [p.name for p in tmp_path.iterdir()] == ["inner"]


def test_fetch__never_runs_what_it_fetched(server: Server, tmp_path: Path) -> None:
    import pickle

    class Evil:
        def __reduce__(self) -> tuple[Any, ...]:
            return os.system, (f"touch {tmp_path / 'evil'}",)

    code = f"open({str(tmp_path / 'evil')!r}, 'w')".encode()
    files = FILES | {"Data/a.npy": pickle.dumps(Evil()), "setup.py": code, "conftest.py": code}
    server.files["toy.zip"] = archive({f"repo/{name}": data for name, data in files.items()})
    assert len(fetch(entry(server), tmp_path / "toy")) == 5
    assert not (tmp_path / "evil").exists()


@pytest.mark.parametrize("name", ["hc-6", "hc-22", "khatib2023"])
def test_fetch__what_cannot_be_fetched_says_how(name: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=f"{name} cannot be fetched .*(crcns.org|authors)"):
        fetch(name, tmp_path / name)
    with pytest.raises(ValueError, match="no data set 'x' in the catalogue; there are geva2023"):
        fetch("x", tmp_path)


# ---- the entries


def test_data_sets__every_one_of_the_paper() -> None:
    found = data_sets()
    assert set(found) >= {"hc-6", "hc-22", "khatib2023", "geva2023", "sheintuch2023"}
    for name, item in found.items():
        assert item.converter is None or item.converter in CONVERTERS
        assert (item.converter is None) == (name in WITHOUT_CONVERTER)
        assert (item.access == "open") == (item.url is not None)
        assert item.licence and item.how and item.citation
    assert set(CONVERTERS) - {"arrays"} == {i.converter for i in found.values() if i.converter}
    assert "ratzon2024-track" in simulations() and not set(simulations()) & set(found)


def test_data_sets__checksums_are_those_of_the_files(shared_data: Path) -> None:
    source = {"Data/": "sheintuch2020", "Real data/Full data set/CA1/": "sheintuch2022/real"}
    source |= {"Simulated data/Full data set/": "sheintuch2022/simulated"}
    for name in ("sheintuch2020", "sheintuch2022"):
        listed = data_set(name).sha256
        for path in sorted(listed)[::8]:
            start = next(key for key in source if path.startswith(key))
            file = shared_data / source[start] / path.removeprefix(start)
            assert sha(file.read_bytes()) == listed[path]


def test_data_sets__faults_name_their_lines(tmp_path: Path) -> None:
    text = (REPOSITORY / "catalogs" / "hc-6.yaml").read_text()
    (tmp_path / "x.yaml").write_text(text.replace("access: account", "acess: account"))
    with pytest.raises(
        ValueError, match=r"x.yaml cannot be used(.|\n)*line \d+.*did you mean 'access'"
    ):
        data_sets(tmp_path)


def test_schema__is_in_step() -> None:
    stored = REPOSITORY / "schemas" / "catalog" / "data_set.schema.json"
    hint = "run python -m neurodrift.catalog schemas/catalog"
    assert json.loads(stored.read_text()) == SCHEMA, hint


def test_catalog_command__list_and_show(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["catalog", "list"]) == 0
    out = capsys.readouterr().out
    assert "hc-6" in out and "22 GB" in out and "ratzon2024-track" in out
    assert main(["catalog", "show", "sheintuch2020"]) == 0
    out = capsys.readouterr().out
    assert "https://doi.org/10.1016/j.cub.2020.02.018" in out and "none stated" in out
    assert main(["catalog", "show", "nothing"]) == 2
    assert "no data set 'nothing'" in capsys.readouterr().err
    assert main(["catalog", "fetch", "khatib2023"]) == 2
    assert "not publicly available" in capsys.readouterr().err


def test_catalog_command__fetch(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    server.files["toy.zip"] = ZIP
    monkeypatch.setattr("neurodrift.catalog.data_sets", lambda folder=None: {"toy": entry(server)})
    monkeypatch.chdir(tmp_path)
    assert main(["catalog", "fetch", "toy"]) == 0
    assert "2 files in toy; licence: CC0" in capsys.readouterr().out
    assert (tmp_path / "toy" / "Data" / "C1.mat").is_file()


def test_catalog__loads_nothing_heavy() -> None:
    script = (
        "import sys, neurodrift.catalog; print('pooch' in sys.modules, 'requests' in sys.modules)"
    )
    found = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert found.stdout.split() == ["False", "False"]
