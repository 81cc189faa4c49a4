"""The command of an inference: ``infer``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from neurodrift.cli._help import new_command
from neurodrift.cli._options import (
    add_out,
    add_overwrite,
    add_seed,
    claiming,
    kind_of_store,
    open_one,
    text,
)
from neurodrift.cli._say import Facts, said_plainly

if TYPE_CHECKING:
    import xarray as xr


EXAMPLE = "example"
"""The prior that is installed with the package."""


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command of this module to the parser."""
    infer = new_command(
        commands,
        "infer",
        "ask which learning rule drifts like this, or whether none does",
        [
            "neurodrift infer recording.zarr --prior example --as-drawn -o inference.zarr",
            "neurodrift infer recording.zarr --prior prior.zarr --observation target "
            "-o inference.zarr --report rule.html",
        ],
        "The answer is one of three: outside the prior (none of its rules drifts like this),\n"
        "cannot tell, or a rule with its probability (docs: which rule). The prior must have been\n"
        "seen as the target was: neurodrift simulate-prior. Give the recording; results do only\n"
        "if their half maps are not smoothed (analyze --smoothing 0).",
    )
    infer.add_argument(
        "target",
        type=Path,
        metavar="TARGET",
        help="a recording, a run of a sweep, or results that are not smoothed",
    )
    infer.add_argument(
        "--prior",
        type=Path,
        required=True,
        metavar="STORE",
        help="prior.zarr of simulate-prior; 'example': a small one that is installed with "
        "neurodrift, for trying things out",
    )
    infer.add_argument(
        "--observation",
        metavar="NAME",
        help="which of the prior's observations (default: the first); 'target': see its networks "
        "as the target was seen, which takes about 20 ms a run",
    )
    infer.add_argument(
        "--run", type=int, metavar="N", dest="number", help="number of the run of a sweep"
    )
    add_out(infer, "inference.zarr to write")
    infer.add_argument("--report", type=Path, metavar="PAGE", help="page.html to write besides")
    infer.add_argument("--title", type=text, help="heading of the page")
    infer.add_argument(
        "--method",
        choices=("logistic", "sbi"),
        default="logistic",
        help="how the posterior is learnt; sbi needs the extra inference",
    )
    infer.add_argument(
        "--level",
        type=float,
        default=0.9,
        metavar="P",
        help="coverage of the set of rules and of the dose's interval",
    )
    infer.add_argument(
        "--as-drawn",
        action="store_true",
        help="leave the speeds of the rules as they are: speed may then tell them apart",
    )
    infer.add_argument(
        "--plan",
        action="store_true",
        help="also say which rules more cells, events or sessions would tell apart (minutes)",
    )
    add_seed(infer)
    add_overwrite(infer)
    infer.set_defaults(run=_infer)


@claiming("target", "prior", outputs=("out", "report"))
def _infer(options: argparse.Namespace) -> Facts:
    from neurodrift.infer.doubt.sentences import describe_inference, facts
    from neurodrift.infer.report.document import write_inference_report
    from neurodrift.infer.rule import infer_rule
    from neurodrift.io.zarr import save_results

    target = _target(options)
    prior = _prior(options, target)
    with said_plainly():
        found = infer_rule(
            target,
            prior,
            level=options.level,
            matched=not options.as_drawn,
            seed=options.seed,
            method=options.method,
        )
    found.attrs["source"] = str(options.target)
    save_results(found, options.out, overwrite=options.overwrite)
    print(describe_inference(found))
    if options.plan:
        print(f"\nAs recorded, and as it could have been:\n{_plan(options, target)}")
    print(f"\ninference in {options.out}")
    if options.report is not None:
        write_inference_report(
            found, options.report, title=options.title, overwrite=options.overwrite
        )
        print(f"report in {options.report}")
        print("next: open it in a browser")
    return {"out": options.out, "report": options.report, **facts(found)}


def _plan(options: argparse.Namespace, target: xr.Dataset | xr.DataTree) -> str:
    """What could have been told apart, of a prior that keeps its activity."""
    from neurodrift.infer.observation.protocol import observation_of
    from neurodrift.infer.plan import describe_plan, plan_recording

    if _kind_of_prior(options.prior) != "sweep":
        raise ValueError(
            f"{options.prior} keeps no activity: --plan wants a prior of simulate-prior"
        )
    found = plan_recording(
        options.prior, observation_of(target), matched=not options.as_drawn, seed=options.seed
    )
    return describe_plan(found)


def _target(options: argparse.Namespace) -> xr.Dataset | xr.DataTree:
    """What the store holds: statistics, results, a recording, or a run of a sweep."""
    from neurodrift.io.zarr import open_results

    kind = kind_of_store(options.target)
    if kind in ("recording", "sweep"):
        return open_one(options.target, options.number)
    return open_results(options.target)


def _prior(options: argparse.Namespace, target: xr.Dataset | xr.DataTree) -> xr.Dataset:
    """The prior, seen in one of its ways or as the target was."""
    from neurodrift.io.zarr import open_results

    kind = _kind_of_prior(options.prior)
    if kind == "sweep":
        from neurodrift.infer.classifier.runs import expect_enough
        from neurodrift.infer.observation.protocol import observation_of
        from neurodrift.infer.prior.store import open_prior

        if options.observation == "target":
            stored = open_prior(options.prior)
            expect_enough(stored, matched=not options.as_drawn)  # before all runs are seen anew
            return open_prior(options.prior, observation_of(target))
        return open_prior(options.prior, options.observation or 0)
    if options.observation is not None:
        raise ValueError(f"{options.prior} has one observation: leave --observation out")
    if kind == EXAMPLE:
        from neurodrift.examples.rules import read_prior

        return read_prior()
    return open_results(options.prior).to_dataset()


def _kind_of_prior(path: Path) -> str:
    """What the store of a prior holds, or that the example is meant."""
    if str(path) == EXAMPLE and not path.exists():
        return EXAMPLE
    try:
        return kind_of_store(path)
    except FileNotFoundError as error:
        raise FileNotFoundError(
            f"{error}; a prior is made by neurodrift simulate-prior, and --prior {EXAMPLE} is one "
            "for trying things out"
        ) from error
