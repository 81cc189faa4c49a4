"""Papers behind the methods."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Reference:
    """A paper: how the text cites it, its full entry and where it is."""

    cite: str
    entry: str
    url: str


REFERENCES = {
    "benjamini1995": Reference(
        "Benjamini & Hochberg, 1995",
        "Benjamini Y, Hochberg Y (1995). Controlling the false discovery rate: a practical and "
        "powerful approach to multiple testing. J R Stat Soc B 57:289–300.",
        "https://doi.org/10.1111/j.2517-6161.1995.tb02031.x",
    ),
    "cohen1960": Reference(
        "Cohen, 1960",
        "Cohen J (1960). A coefficient of agreement for nominal scales. Educ Psychol Meas "
        "20:37–46.",
        "https://doi.org/10.1177/001316446002000104",
    ),
    "hesterberg2015": Reference(
        "Hesterberg, 2015",
        "Hesterberg TC (2015). What teachers should know about the bootstrap: resampling in the "
        "undergraduate statistics curriculum. Am Stat 69:371–386.",
        "https://doi.org/10.1080/00031305.2015.1089789",
    ),
    "liang2008": Reference(
        "Liang et al., 2008",
        "Liang F, Paulo R, Molina G, Clyde MA, Berger JO (2008). Mixtures of g priors for Bayesian "
        "variable selection. J Am Stat Assoc 103:410–423.",
        "https://doi.org/10.1198/016214507000001337",
    ),
    "mantel1967": Reference(
        "Mantel, 1967",
        "Mantel N (1967). The detection of disease clustering and a generalized regression "
        "approach. Cancer Res 27:209–220.",
        "https://pubmed.ncbi.nlm.nih.gov/6018555",
    ),
    "phipson2010": Reference(
        "Phipson & Smyth, 2010",
        "Phipson B, Smyth GK (2010). Permutation p-values should never be zero: calculating exact "
        "p-values when permutations are randomly drawn. Stat Appl Genet Mol Biol 9:39.",
        "https://doi.org/10.2202/1544-6115.1585",
    ),
    "ratzon2024": Reference(
        "Ratzon et al., 2024",
        "Ratzon A, Derdikman D, Barak O (2024). Representational drift as a result of implicit "
        "regularization. eLife 12:RP90069.",
        "https://doi.org/10.7554/eLife.90069",
    ),
    "sheintuch2020": Reference(
        "Sheintuch et al., 2020",
        "Sheintuch L, Geva N, Baumer H, Rechavi Y, Rubin A, Ziv Y (2020). Multiple maps of the "
        "same spatial context can stably coexist in the mouse hippocampus. Curr Biol 30:1467–1476.",
        "https://doi.org/10.1016/j.cub.2020.02.018",
    ),
    "sheintuch2022": Reference(
        "Sheintuch et al., 2022",
        "Sheintuch L, Rubin A, Ziv Y (2022). Bias-free estimation of information content in "
        "temporally sparse neuronal activity. PLoS Comput Biol 18:e1009832.",
        "https://doi.org/10.1371/journal.pcbi.1009832",
    ),
    "skaggs1993": Reference(
        "Skaggs et al., 1993",
        "Skaggs WE, McNaughton BL, Gothard KM, Markus EJ (1993). An information-theoretic approach "
        "to deciphering the hippocampal code. Adv Neural Inf Process Syst 5:1030–1037.",
        "https://papers.nips.cc/paper/1992/hash/5dd9db5e033da9c6fb5ba83c7a7ebea9-Abstract.html",
    ),
    "ziv2013": Reference(
        "Ziv et al., 2013",
        "Ziv Y, Burns LD, Cocker ED, Hamel EO, Ghosh KK, Kitch LJ, El Gamal A, Schnitzer MJ "
        "(2013). Long-term dynamics of CA1 hippocampal place codes. Nat Neurosci 16:264–266.",
        "https://doi.org/10.1038/nn.3329",
    ),
}
"""Papers behind the methods, by the key with which the text cites them."""
