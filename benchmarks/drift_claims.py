"""Simulations that reproduce claims about drift, beside what theory or the paper says.

    python benchmarks/drift_claims.py            # 20 animals a row; many minutes on a busy machine
    python benchmarks/drift_claims.py --small

1. Stimuli that do not matter (Pashakhanloo 2025): measured drift rate of Oja's subspace rule, and
   the theory's, over learning rate, variance of the irrelevant inputs and number of relevant ones.
2. Dropout (Aitken et al. 2022): share of the change in the variational space (gamma) and its angle
   with the first components, with noise of the gradient as a control.
3. Synapses that fluctuate in proportion to themselves (after Morales et al. 2025): steady state.
4. Animals of known change (:mod:`animals`): gamma as it is, and without noise.
"""

from __future__ import annotations

import argparse

import numpy as np
from known_animals import make

import neurodrift as nd
from neurodrift.analysis.drift.trial_geometry import geometry_of_pair
from neurodrift.simulate.synapses.oja import OjaSettings, predict_drift_rate
from neurodrift.threads import one_blas_thread

N_MASKS = 10  # forward passes of each sample
N_GROUPS = 4  # stretches of the track that stand for classes


def irrelevant(small: bool) -> None:
    """Print the drift rate of several settings."""
    rows = [{"irrelevant_variance": v} for v in (0.1, 0.2, 0.4)]
    rows += [{"learning_rate": eta} for eta in (0.01, 0.04)]
    rows += [{"n_relevant": m} for m in (1, 2, 5, 8, 10)]
    rows += [{"synaptic_noise": 0.02}, {"synaptic_noise": 0.02, "n_relevant": 8}]
    print("drift rate of Oja's rule per step, n 10, m 3, lambda .2, eta .02, but for")
    print(f"{'':44s}{'measured':>10s}{'se':>9s}{'theory':>9s}{'ratio':>7s}")
    for changes in rows[1:2] if small else rows:
        start = OjaSettings(**changes)
        predicted = _predicted(start)
        lag = 20_000 if predicted == 0 else int(np.clip(0.02 / predicted, 2_000, 100_000))
        n_lags = 40 if small else 400
        found = (
            OjaSettings(**changes, n_steps=lag * n_lags, snapshots=n_lags + 1, seed=11)
            .simulate()
            .table()
        )
        rate, se = found["drift_rate"].item(), found["drift_rate_se"].item()
        ratio = f"{rate / predicted:7.2f}" if predicted else "      -"
        print(f"{changes!s:44s}{rate:10.2e}{se:9.1e}{predicted:9.1e}{ratio}", flush=True)


def _predicted(s: OjaSettings) -> float:
    return predict_drift_rate(
        n_inputs=s.n_inputs,
        n_relevant=s.n_relevant,
        irrelevant_variance=s.irrelevant_variance,
        learning_rate=s.learning_rate,
        synaptic_noise=s.synaptic_noise,
    )


def features(run, p: float, seed: int) -> list[list[np.ndarray]]:
    """(sample and pass, unit) of each snapshot and stretch of the track, under dropout."""
    recording = run.recording()
    rng = np.random.default_rng([23, seed])
    found = []
    for session in range(recording.sizes["session"]):
        own = recording["session_index"].values == session
        activity = recording["activity"].transpose("time", "unit").values[own].astype(float)
        x = recording["x"].values[own]
        kept = (rng.random((N_MASKS, *activity.shape)) >= p) / (1 - p)
        noisy = np.swapaxes(kept * activity, 0, 1)  # (sample, pass, unit)
        edges = np.quantile(x, np.linspace(0, 1, N_GROUPS + 1))[1:-1]
        group = np.searchsorted(edges, x)
        found.append([
            np.concatenate(noisy[group == g]) for g in range(N_GROUPS)
        ])  # fmt: skip
    return found


def dropout(small: bool) -> None:
    """Print gamma and angles between snapshots after learning, by lag."""
    n_steps = 160 if small else 10_000
    print("\ndropout of units, track task, 100 hidden units: change between snapshots", end=" ")
    print(f"after step {n_steps // 4}, mean over pairs")
    print(
        f"{'':22s}{'lag':>6s}{'size':>7s}{'gamma':>7s}{'corr.':>7s}{'chance':>8s}"
        f"{'angle 1':>9s}{'2':>6s}{'3':>6s}{'corr. 1':>9s}{'2':>6s}{'3':>6s}"
    )
    rows = [("dropout .5", 0.5, 0.0)]
    rows += [] if small else [("gradient noise .05", 0.0, 0.05)]
    for name, p, noise in rows:
        changes = {
            "n_steps": n_steps,
            "measures": 2,
            "rule.node_dropout": p,
            "rule.update_noise": noise,
        }
        run = nd.simulate.simulate("aitken2022-dropout", changes)
        # the control is looked at under the same masks, so that both have a variability
        seen = features(run, p or 0.5, 0)
        first = len(seen) // 4
        for lag in (1, 4) if small else (1, 2, 4, 8):
            pairs = [
                geometry_of_pair(seen[a], seen[a + lag], n_components=3)
                for a in range(first, len(seen) - lag)
            ]

            def mean(key: str, pairs=pairs) -> float:
                return float(mean_of_known([[one.numbers[key]] for one in pairs])[0])

            angle = mean_of_known([one.angle for one in pairs])
            clean = mean_of_known([one.angle_corrected for one in pairs])
            print(
                f"{name:22s}{lag * n_steps // (len(seen) - 1):6d}{mean('relative_size'):7.2f}"
                f"{mean('gamma'):7.2f}{mean('gamma_corrected'):7.2f}{mean('gamma_chance'):8.2f}"
                f"{angle[0]:9.0f}{angle[1]:6.0f}{angle[2]:6.0f}"
                f"{clean[0]:9.0f}{clean[1]:6.0f}{clean[2]:6.0f}",
                flush=True,
            )


def mean_of_known(values: list) -> np.ndarray:
    """(...) mean over the first axis of what is not NaN."""
    known = np.isfinite(values)
    total = np.where(known, values, 0.0).sum(axis=0)
    return np.where(known.any(axis=0), total / np.maximum(known.sum(axis=0), 1), np.nan)


def fluctuation(small: bool) -> None:
    """Print the steady state of weights that fluctuate."""
    changes = {"n_sessions": 6 if small else 30, "n_units": 100 if small else 300}
    run = nd.simulate.simulate("morales2025-multiplicative", changes)
    found, s = run.table(), run.settings
    logs = np.log(run.weights)
    away = (logs - logs.mean()) / logs.std()
    print("\nweights that fluctuate: logarithm in the last session, and all (wanted)")
    print(
        f"mean {found['log_weight_mean'].values[-1]:.3f} ({s.log_mean:g}), sd "
        f"{found['log_weight_sd'].values[-1]:.3f} ({s.log_sd:g}), skewness "
        f"{(away**3).mean():.3f} (0), excess kurtosis {(away**4).mean() - 3:.3f} (0)"
    )
    for lag in (1, 5):
        wanted = np.exp(-lag * s.interval / s.tau)
        found_at = found["log_weight_correlation"].values[lag]
        print(f"correlation after {lag * s.interval:g} days {found_at:.3f} ({wanted:.3f})")


def animals(small: bool) -> None:
    """Print gamma of animals whose change is known."""
    n_animals = 1 if small else 20
    kinds = ("stable", "independent") if small else (
        "stable", "independent", "jumps", "rotation", "shift", "rates", "behaviour", "events"
    )  # fmt: skip
    print(f"\n{n_animals} animals a row, line, 60 units: means over pairs of sessions")
    print("without noise: sums over all pairs and animals; (clear): share of pairs with a gamma")
    print(
        f"{'':14s}{'gamma':>7s}{'halves':>8s}{'chance':>8s}{'change':>9s}{'of it within':>14s}"
        f"{'gamma w/o noise':>17s}{'clear':>7s}{'angle 1':>9s}"
    )
    for truth in kinds:
        found = []
        for i in range(n_animals):
            animal = make(truth, np.random.default_rng([31, i]))
            binning = nd.Binning(bin_width=5.0, edges=np.linspace(0, 100, 21))
            one = nd.compute_drift_geometry(animal.recording, binning=binning)
            off = ~np.eye(one.sizes["session_a"], dtype=bool)
            row = [one[name].values[off] for name in COLUMNS]
            angle = one["angle"].values[off][:, 0]
            found.append([*row, angle, np.repeat(one["gamma_halves"].values, off.shape[0] - 1)])
        gamma, chance, square, within, clean, angle, halves = np.concatenate(found, axis=1)
        clear = np.isfinite(clean)
        shown = f"{np.nanmean(clean):17.2f}" if clear.any() else f"{'cannot tell':>17s}"
        print(
            f"{truth:14s}{gamma.mean():7.2f}{halves.mean():8.2f}{chance.mean():8.2f}"
            f"{square.mean():9.2f}{within.mean():14.2f}{shown}{clear.mean():7.2f}"
            f"{angle.mean():9.0f}",
            flush=True,
        )


COLUMNS = ("gamma", "gamma_chance", "change_square", "change_square_within", "gamma_corrected")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--small", action="store_true", help="few settings, seconds")
    parser.add_argument("--only", choices=("irrelevant", "dropout", "fluctuation", "animals"))
    options = parser.parse_args()
    for part in (irrelevant, dropout, fluctuation, animals):
        if options.only in (None, part.__name__):
            with one_blas_thread():  # the matrices are small
                part(options.small)


if __name__ == "__main__":
    main()
