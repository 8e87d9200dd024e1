"""How much two texts of one language have in common: chrF (Popović 2015), the quality of a translation without a model."""

from __future__ import annotations

from collections import Counter

ORDERS = 6  # characters in a row, from 1
BETA = 2.0  # recall weighs so many times as much as precision


def chrf(text: str, reference: str) -> float:
    """The F-score of runs of 1 to `ORDERS` characters, blanks aside, in [0, 1]: precision and recall are means over the
    lengths that both texts have runs of.

    >>> chrf("the cat sat", "the cat sat"), chrf("the cat", ""), round(chrf("ab", "abcd"), 4)
    (1.0, 0.0, 0.4717)
    """
    one, other = ("".join(part.split()) for part in (text, reference))
    precisions, recalls = [], []
    for order in range(1, ORDERS + 1):
        own, wanted = (
            Counter(part[start : start + order] for start in range(len(part) - order + 1)) for part in (one, other)
        )
        if not own or not wanted:
            break
        common = (own & wanted).total()
        precisions.append(common / own.total())
        recalls.append(common / wanted.total())
    precision, recall = (sum(values) / len(values) if values else 0.0 for values in (precisions, recalls))
    whole = BETA**2 * precision + recall
    return (1 + BETA**2) * precision * recall / whole if whole else 0.0
