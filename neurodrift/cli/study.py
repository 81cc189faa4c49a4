"""The command of a study: ``study``."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from neurodrift.cli._help import new_command
from neurodrift.cli._options import add_out, add_overwrite, give_memory_back
from neurodrift.cli._say import Facts


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command of this module to the parser."""
    study = new_command(
        commands,
        "study",
        "analyse a cohort: every recording, then the answers over animals",
        [
            "neurodrift study --init data -o study.yaml",
            "neurodrift study study.yaml -o study --workers 4",
            "neurodrift study study.yaml -o study --multiverse",
        ],
        "The file lists recordings, factors, settings and questions (docs/studies.md). A study\n"
        "that was interrupted goes on; a new animal or setting costs its own time only.",
    )
    study.add_argument(
        "plan", type=Path, metavar="STUDY", help="study.yaml; with --init the folder of the data"
    )
    add_out(study, "folder of the study; with --init the file to write")
    study.add_argument(
        "--init", action="store_true", help="propose a study.yaml from what lies in a folder"
    )
    study.add_argument(
        "--multiverse",
        action="store_true",
        help="also answer under every combination of choices: bin width, speed, null, criterion, "
        "equal footing",
    )
    study.add_argument(
        "--no-reports",
        action="store_true",
        help="write no report of each recording, which saves a second or two each",
    )
    group = study.add_argument_group("workers")
    group.add_argument(
        "--scheduler", metavar="ADDRESS", help="address of a Dask scheduler, tcp://host:port"
    )
    group.add_argument(
        "--workers",
        type=int,
        metavar="N",
        help="number of processes without a scheduler; 0: this one alone (default: all cores)",
    )
    add_overwrite(study)
    study.set_defaults(run=_study)


def _study(options: argparse.Namespace) -> Facts:
    if options.init:
        return _init(options)
    from neurodrift.cohort.sentences import describe_answers
    from neurodrift.studies.run import study

    give_memory_back()
    found = study(
        options.plan,
        options.out,
        scheduler=options.scheduler,
        workers=options.workers,
        reports=not options.no_reports,
        multiverse=options.multiverse,
        progress=True,
    )
    print(describe_answers(found))
    if options.multiverse:
        from neurodrift.io.zarr import open_results
        from neurodrift.studies.conclusions import describe_multiverse

        print(f"\n{describe_multiverse(open_results(options.out / 'multiverse.zarr'))}")
    failed = json.loads(found.attrs["failed"])
    for name, text in failed.items():
        print(f"{name} failed and was left out: {text}")
    n = len(found["recordings"].children)
    print(
        f"\n{n} recordings in {options.out}: study.zarr, tables, report.html, each one's report "
        "in animals"
    )
    print(f"next: open {options.out / 'report.html'} in a browser")
    return {
        "out": options.out,
        "n_recordings": n,
        "failed": failed,
        "report": options.out / "report.html",
    }


def _init(options: argparse.Namespace) -> Facts:
    from neurodrift.io.output import whole
    from neurodrift.studies.propose import propose_study

    folder = options.plan
    text = propose_study(folder, options.out)
    with whole(options.out, overwrite=options.overwrite) as unfinished:
        unfinished.write_text(text, encoding="utf-8")
    print(text)
    print(f"{options.out}: read it, name the factors and questions")
    print(f"next: neurodrift study {options.out} -o {options.out.stem}")
    return {"out": options.out}
