"""The classifier: two experts, of which one sees a file's shape and one its meaning, and their mean.

Both are support vector machines: on the named features of shape, each brought to a normal distribution, and on the
direction in which the words point. They err apart, so that their mean is better than either (LOG.md). phi-1 §2.1 has
one random forest over a code model's embedding: `forest` is that one, over any embedding, and is measured beside them;
`machines.py` has others, and what such a classifier is. Kept as a skops file, never a pickle.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import Field

from hornbook.config import Config
from hornbook.errors import InputError
from hornbook.quality.embed import NAMES, Embed, packaged_digest
from hornbook.quality.features import SHAPE
from hornbook.quality.machines import TREE, Single

if TYPE_CHECKING:
    from sklearn.ensemble import RandomForestRegressor
    from sklearn.pipeline import Pipeline
    from sklearn.svm import SVR

FILE = "classifier.skops"
SCHEMA = "schema.json"
PARTS = {"shape": len(SHAPE), "meaning": len(NAMES) - len(SHAPE)}  # expert → how many numbers it reads


class Machine(Config):
    """A support vector machine's settings: `penalty` (C) for what it gets wrong, `reach` (γ) of its kernel."""

    penalty: float = Field(gt=0)
    reach: float = Field(gt=0)


class Experts(Config):
    """The settings of both, the `margin` by which a prediction may miss, and the `trees` of the forest beside them."""

    shape: Machine = Machine(penalty=1.0, reach=0.002)
    meaning: Machine = Machine(penalty=3.0, reach=0.7)
    margin: float = Field(0.2, ge=0)
    trees: int = Field(200, ge=1)


@dataclass(frozen=True)
class Classifier:
    """Two experts; a score is `slope` × their mean + `offset`, within 0 to 5.

    The line undoes their shrinking toward the middle; it is fitted to predictions for packages not seen.
    """

    shape: Pipeline
    meaning: SVR
    slope: float = 1.0
    offset: float = 0.0

    @property
    def made_for(self) -> tuple[Embed, str]:
        """The settings and digest of the embedder: experts read the packaged one."""
        return Embed(), packaged_digest()

    def opinions(self, embeddings: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """What each expert says: float64 [document], twice."""
        if not len(embeddings):
            return np.zeros(0), np.zeros(0)
        return self.shape.predict(embeddings[:, : len(SHAPE)]), self.meaning.predict(embeddings[:, len(SHAPE) :])

    def predict(self, embeddings: np.ndarray) -> np.ndarray:
        """Scores 0-5: float64 [document]."""
        return self.calibrate(np.mean(self.opinions(embeddings), axis=0))

    def calibrate(self, means: np.ndarray) -> np.ndarray:
        """The experts' means as scores."""
        return np.clip(self.slope * means + self.offset, 0.0, 5.0)


def fit(config: Experts, embeddings: np.ndarray, labels: Sequence[float]) -> Classifier:
    """Experts that predict labels 0-5, not yet calibrated."""
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import QuantileTransformer
    from sklearn.svm import SVR

    def machine(settings: Machine) -> SVR:
        return SVR(C=settings.penalty, gamma=settings.reach, epsilon=config.margin)

    truth = np.asarray(labels, np.float64)
    quantiles = QuantileTransformer(n_quantiles=min(100, len(truth)), output_distribution="normal")
    shape = make_pipeline(quantiles, machine(config.shape)).fit(embeddings[:, : len(SHAPE)], truth)
    return Classifier(shape, machine(config.meaning).fit(embeddings[:, len(SHAPE) :], truth))


def forest(config: Experts, embeddings: np.ndarray, labels: Sequence[float]) -> RandomForestRegressor:
    """The paper's kind of classifier, over the whole embedding; phi-1 does not publish its settings."""
    from sklearn.ensemble import RandomForestRegressor

    made = RandomForestRegressor(config.trees, min_samples_leaf=2, max_features=0.33, random_state=0, n_jobs=-1)
    return made.fit(embeddings, np.asarray(labels)).set_params(n_jobs=1)


def line(means: np.ndarray, labels: Sequence[float]) -> tuple[float, float]:
    """Slope and offset that bring predictions for unseen packages to their labels; (1, 0) where they say nothing."""
    if len(means) < 3 or np.ptp(means) == 0:
        return 1.0, 0.0
    slope, offset = np.polyfit(means, np.asarray(labels, np.float64), 1)
    return (float(slope), float(offset)) if slope > 0 else (1.0, 0.0)


def save(classifier: Classifier | Single, path: Path) -> None:
    """Write a classifier with skops, such that equal ones are equal bytes: no times, and no addresses.

    skops names objects and files by where they lie in memory; here they are numbered in the order of the schema.
    """
    import skops.io

    with zipfile.ZipFile(io.BytesIO(skops.io.dumps(vars(classifier)))) as made, zipfile.ZipFile(path, "w") as fixed:
        numbers: dict[str, int] = {}
        schema = numbered(json.loads(made.read(SCHEMA)), numbers)
        members = {f"{numbers[name[:-4]]}.npy": made.read(name) for name in made.namelist() if name != SCHEMA}
        members[SCHEMA] = json.dumps(schema, indent=1).encode()
        for name in sorted(members):
            entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            fixed.writestr(entry, members[name], compress_type=zipfile.ZIP_DEFLATED)


def numbered(value: Any, numbers: dict[str, int]) -> Any:
    """A skops schema with each address, also as a file's name, replaced by its number in order of appearance."""
    if isinstance(value, list):
        return [numbered(item, numbers) for item in value]
    if not isinstance(value, dict):
        return value
    found: dict[str, Any] = {}
    for key, item in value.items():
        if key == "__id__":
            found[key] = numbers.setdefault(str(item), len(numbers) + 1)
        elif key == "file":
            found[key] = f"{numbers.setdefault(item[:-4], len(numbers) + 1)}.npy"
        else:
            found[key] = numbered(item, numbers)
    return found


def load(path: Path) -> Classifier | Single:
    """Read a classifier; only scikit-learn's and NumPy's own types are trusted, and of trees no more than they prove.

    Raises InputError when the file is missing, holds another type, or was made for other features.
    """
    import skops.io

    try:
        trees = [name for name in skops.io.get_untrusted_types(file=path) if name == TREE]
        held = skops.io.load(path, trusted=trees)
        if trees or "machine" in held:
            return Single(**held).checked(bool(trees))
        found = Classifier(**held)
        sizes = {name: getattr(found, name).n_features_in_ for name in PARTS}
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; give a classifier.skops") from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, ImportError, zipfile.BadZipFile) as error:
        raise InputError(f"{path}: not a hornbook classifier ({str(error).splitlines()[0][:160]})") from None
    if sizes != PARTS:
        raise InputError(f"{path}: made for {sizes} features, this version has {PARTS}; train it again")
    return found


def packaged() -> Classifier:
    """The classifier that ships with hornbook."""
    with resources.as_file(resources.files("hornbook.quality").joinpath(FILE)) as path:
        found = load(path)
    assert isinstance(found, Classifier)
    return found
