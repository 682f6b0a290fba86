"""The classifier that ships with hornbook: a support vector machine on what a file's shape and its words say.

The two kinds of numbers are levelled first. Features of shape are counts and ratios with long tails: each is brought to
a normal distribution and kept within `FARTHEST` of its median. The directions of meaning are standardised, and weigh a
little more. phi-1 §2.1 has a random forest over a code model's embedding: that is measured beside it; `machines.py` has
it and others, over any embedding. Kept as a skops file, never a pickle.
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

from hornbook.errors import InputError
from hornbook.quality.embed import NAMES, Embed, packaged_digest
from hornbook.quality.features import SHAPE
from hornbook.quality.machines import TREE, Machine, Single, support_vectors

if TYPE_CHECKING:
    from sklearn.preprocessing import QuantileTransformer, StandardScaler
    from sklearn.svm import SVR

FILE = "classifier.skops"
SCHEMA = "schema.json"
PARTS = {"quantiles": len(SHAPE), "scale": len(NAMES) - len(SHAPE), "machine": len(NAMES)}  # numbers that each reads
FARTHEST = 3.0  # standard deviations that a feature of shape may lie from its median
QUANTILES = 100


class Levelled(Machine):
    """The machine's settings, and the `weight` of a direction of meaning against a feature of shape."""

    penalty: float = Field(2.0, gt=0)
    reach: float = Field(0.2, gt=0)
    margin: float = Field(0.1, ge=0)
    weight: float = Field(1.2, gt=0)


@dataclass(frozen=True)
class Classifier:
    """A score is `slope` × what the machine says of the levelled numbers + `offset`, within 0 to 5.

    The line undoes its shrinking toward the middle; it is fitted to predictions for packages not seen.
    """

    quantiles: QuantileTransformer
    scale: StandardScaler
    machine: SVR
    weight: float
    slope: float = 1.0
    offset: float = 0.0

    @property
    def made_for(self) -> tuple[Embed, str]:
        """The settings and digest of the embedder: the packaged one."""
        return Embed(), packaged_digest()

    def levelled(self, embeddings: np.ndarray) -> np.ndarray:
        """What the machine reads: float [document, number]."""
        shape = np.clip(self.quantiles.transform(embeddings[:, : len(SHAPE)]), -FARTHEST, FARTHEST)
        return np.hstack([shape, self.weight * self.scale.transform(embeddings[:, len(SHAPE) :])])

    @property
    def middle(self) -> np.ndarray:
        """What the machine reads of a file at the median of every feature, whose words point nowhere in particular:
        float [number]. Many features have their median at their least: few files have doctests."""
        shape = np.median(self.quantiles.quantiles_, axis=0)
        middle: np.ndarray = self.levelled(np.concatenate([shape, self.scale.mean_])[None, :])[0]
        return middle

    def raw(self, embeddings: np.ndarray) -> np.ndarray:
        """What the machine says, not calibrated: float64 [document]."""
        found: np.ndarray = self.machine.predict(self.levelled(embeddings)) if len(embeddings) else np.zeros(0)
        return found

    def predict(self, embeddings: np.ndarray) -> np.ndarray:
        """Scores 0-5: float64 [document]."""
        return self.calibrate(self.raw(embeddings))

    def calibrate(self, values: np.ndarray) -> np.ndarray:
        """What the machine says as scores."""
        return np.clip(self.slope * values + self.offset, 0.0, 5.0)


def fit(config: Levelled, embeddings: np.ndarray, labels: Sequence[float]) -> Classifier:
    """A classifier that predicts labels 0-5, not yet calibrated."""
    from sklearn.preprocessing import QuantileTransformer, StandardScaler

    quantiles = QuantileTransformer(
        n_quantiles=min(QUANTILES, len(labels)), output_distribution="normal", subsample=None
    )
    quantiles.fit(embeddings[:, : len(SHAPE)])
    scale = StandardScaler().fit(embeddings[:, len(SHAPE) :])
    machine = support_vectors(config, embeddings.shape[1])
    made = Classifier(quantiles, scale, machine, config.weight)
    machine.fit(made.levelled(embeddings), np.asarray(labels, np.float64))
    return made


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
        if trees or "kind" in held:
            return Single(**held).checked(bool(trees))
        if "meaning" in held:
            raise InputError(f"{path}: made by an earlier version; train it again")
        found = Classifier(**held)
        sizes = {name: getattr(found, name).n_features_in_ for name in PARTS}
        float(found.weight), float(found.slope), float(found.offset)
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
