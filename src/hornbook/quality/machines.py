"""Classifiers over any embedding: phi-1's random forest, and two that need fewer labels to do as well.

`classifier.py` knows what the packaged embedding's numbers mean; these do not ask. Which of them suits an embedder is
measured, by package, when it is trained (`classify.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import Field

from hornbook.config import Config
from hornbook.quality.embed import Embed

if TYPE_CHECKING:
    from sklearn.ensemble import RandomForestRegressor
    from sklearn.pipeline import Pipeline
    from sklearn.svm import SVR

KINDS = ("forest", "svr", "ridge")  # of equals the first is taken: phi-1's
TREE = "sklearn.tree._tree.Tree"  # skops does not trust it: a crafted one makes scikit-learn read beyond its arrays
STRENGTHS = np.logspace(-1, 5, 13)  # of ridge's penalty, from which it chooses


class Machine(Config):
    """A support vector machine's settings: `penalty` (C) for what it gets wrong by more than `margin` (ε), and `reach`,
    its kernel's γ times the embedding's width: the wider, the farther apart."""

    penalty: float = Field(1.0, gt=0)
    reach: float = Field(0.3, gt=0)
    margin: float = Field(0.2, ge=0)


@dataclass(frozen=True)
class Single:
    """One machine; a score is `slope` × what it predicts + `offset`, within 0 to 5.

    `embedder` and `digest`: the settings and the digest of the embedder it was made for, and of no other.
    """

    kind: str
    machine: Any
    embedder: dict[str, Any] = field(default_factory=dict)
    digest: str = ""
    slope: float = 1.0
    offset: float = 0.0

    @property
    def made_for(self) -> tuple[Embed, str]:
        """The settings and digest of the embedder."""
        return Embed(**self.embedder), self.digest

    def raw(self, embeddings: np.ndarray) -> np.ndarray:
        """What the machine says, not calibrated: float64 [document]."""
        found: np.ndarray = self.machine.predict(embeddings) if len(embeddings) else np.zeros(0)
        return found

    def predict(self, embeddings: np.ndarray) -> np.ndarray:
        """Scores 0-5: float64 [document]."""
        return self.calibrate(self.raw(embeddings))

    def calibrate(self, values: np.ndarray) -> np.ndarray:
        """The machine's predictions as scores."""
        return np.clip(self.slope * values + self.offset, 0.0, 5.0)

    def checked(self, trees: bool) -> Single:
        """Itself, when it is whole; `trees`: there are some in its file, which none but a sound forest may hold.

        Raises ValueError, TypeError or AttributeError when it is not.
        """
        self.made_for[0].named.encode(), self.digest.encode(), float(self.slope), float(self.offset)
        if self.kind not in KINDS or self.machine.n_features_in_ < 1 or trees != (self.kind == "forest"):
            raise ValueError(f"a machine of kind {self.kind!r}")
        if trees and not sound_forest(self.machine):
            raise ValueError("a forest whose trees lead out of themselves")
        return self


def sound_forest(forest: Any) -> bool:
    """Whether all that a forest predicts with are sound trees."""
    from sklearn.ensemble import RandomForestRegressor
    from sklearn.tree import DecisionTreeRegressor

    if type(forest) is not RandomForestRegressor or not forest.estimators_:
        return False
    trees, width = forest.estimators_, forest.n_features_in_
    return all(type(one) is DecisionTreeRegressor and sound(one.tree_, width) for one in trees)


def sound(tree: Any, width: int) -> bool:
    """Whether every node of a tree is a leaf, or leads to two later nodes by a number that an embedding has."""
    nodes, inner = np.arange(tree.node_count), tree.children_left != -1
    for children in (tree.children_left[inner], tree.children_right[inner]):
        if not ((children > nodes[inner]) & (children < tree.node_count)).all():
            return False
    features = tree.feature[inner]
    whole = tree.node_count > 0 and tree.value.shape[1:] == (1, 1)
    return bool(whole and ((features >= 0) & (features < width)).all())


def ridge(embeddings: np.ndarray, labels: Sequence[float]) -> Pipeline:
    """Ridge regression on standardised numbers; its penalty is the best of `STRENGTHS` when each label is left out."""
    from sklearn.linear_model import RidgeCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), RidgeCV(STRENGTHS)).fit(embeddings, np.asarray(labels, np.float64))


def svr(config: Machine, embeddings: np.ndarray, labels: Sequence[float]) -> Pipeline:
    """A support vector machine on standardised numbers."""
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    machine = support_vectors(config, embeddings.shape[1])
    return make_pipeline(StandardScaler(), machine).fit(embeddings, np.asarray(labels, np.float64))


def support_vectors(config: Machine, width: int) -> SVR:
    """A machine for numbers of a like scale, not yet trained."""
    from sklearn.svm import SVR

    return SVR(C=config.penalty, gamma=config.reach / max(1, width), epsilon=config.margin)


def forest(trees: int, embeddings: np.ndarray, labels: Sequence[float]) -> RandomForestRegressor:
    """The paper's kind of classifier; phi-1 does not publish its settings."""
    from sklearn.ensemble import RandomForestRegressor

    made = RandomForestRegressor(trees, min_samples_leaf=2, max_features=0.33, random_state=0, n_jobs=-1)
    return made.fit(embeddings, np.asarray(labels)).set_params(n_jobs=1)
