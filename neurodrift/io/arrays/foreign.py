"""Files of other programs that are not read, each with the export that is."""

from __future__ import annotations

from pathlib import Path

_AXONA = (
    "a file of Axona's DACQ, which is not read: convert the session to NWB by neuroconv "
    "(AxonaRecordingInterface, AxonaPositionDataInterface) or save spike times and position as "
    "arrays, and import those"
)
_NEURALYNX = (
    "a file of Neuralynx, which is not read: save its spike times and positions as arrays (.npz, "
    ".mat or CSV), or convert the session to NWB by neuroconv"
)
FOREIGN: dict[str, str] = {
    ".xlsx": (
        "an Excel workbook: a raw track of EthoVision is read by `reader: ethovision`; save any "
        "other sheet as CSV"
    ),
    ".xls": "an Excel workbook of an old kind, which is not read: save the sheet as CSV or .xlsx",
    ".slp": (
        "a project of SLEAP: export the track by `sleap-convert --format analysis FILE.slp`, and "
        "read that by `reader: sleap`"
    ),
    ".isxd": (
        "a file of Inscopix: export the traces of the cell set, or the events of the event set, as "
        "CSV in Inscopix Data Processing, which `reader: inscopix` reads, or as NWB"
    ),
    ".isxp": "a project of Inscopix: export the cell set as CSV (`reader: inscopix`) or NWB",
    ".pos": _AXONA,
    ".set": _AXONA,
    ".cut": _AXONA,
    ".nvt": _NEURALYNX,
    ".ntt": _NEURALYNX,
    ".nex": "a file of NeuroExplorer, which is not read: save its spike times as .mat or CSV",
    ".videopositiontracking": (
        "a track of Trodes (SpikeGadgets): a text header and packed binary numbers, which is not "
        "read: save its fields time, xloc and yloc as .npz or .mat; time counts the clockrate "
        "that its header names (time_unit: samples, rate: 30000)"
    ),
    ".rec": "a raw recording of Trodes: sort it, and give the spike times",
    ".pkl": "a Python pickle, which is never loaded because it can run anything: save plain arrays",
    ".pickle": "a Python pickle, which is never loaded because it can run anything",
    ".nwb": "NWB already: neurodrift import reads it",
    ".sav": "no plain array: save it as CSV or .mat",
    ".rds": "an object of R: save it by write.csv",
    ".rdata": "objects of R: save each by write.csv",
}
"""How a file's name ends -> what it is, and what to do."""


def refuse_foreign(path: Path) -> None:
    """Refuse a file of another program, with the export that is read.

    Parameters
    ----------
    path
        The file; only its name counts, and of Axona's numbered files its first line.

    Raises
    ------
    ValueError
        If it is such a file.

    Examples
    --------
    >>> from pathlib import Path
    >>> from neurodrift.io.arrays.foreign import FOREIGN, refuse_foreign
    >>> refuse_foreign(Path("position.csv"))
    >>> FOREIGN[".nwb"]
    'NWB already: neurodrift import reads it'
    """
    told = FOREIGN.get(path.suffix.lower())
    if told is None and path.suffix[1:].isdecimal() and path.is_file():
        with path.open("rb") as file:
            told = _AXONA if file.read(10).startswith(b"trial_date") else None
    if told is not None and (path.is_file() or not path.exists()):
        raise ValueError(f"{path} is {told}")
