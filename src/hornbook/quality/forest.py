"""The classifier: a random forest over embeddings, as in phi-1 §2.1, kept as a skops file (never a pickle)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import Field

from hornbook.config import Config
from hornbook.errors import InputError
from hornbook.quality.features import NAMES

if TYPE_CHECKING:
    from sklearn.ensemble import RandomForestRegressor

FILE = "classifier.skops"
SCHEMA = "schema.json"
TRUSTED = ["sklearn.tree._tree.Tree"]  # the forest's own trees; skops asks for a nod to every compiled type


class Forest(Config):
    """The forest's settings. phi-1 does not publish its own."""

    trees: int = Field(300, ge=1)
    min_leaf: int = Field(2, ge=1)
    feature_share: float = Field(0.33, gt=0, le=1)
    seed: int = Field(0, ge=0)


def grow(config: Forest, embeddings: np.ndarray, labels: Sequence[float]) -> RandomForestRegressor:
    """Fit a forest that predicts scores 0-5.

    Each tree has its own seed, so trees may grow side by side; the forest predicts with one job, since the sum over
    trees then has a fixed order.
    """
    from sklearn.ensemble import RandomForestRegressor

    forest = RandomForestRegressor(
        n_estimators=config.trees,
        min_samples_leaf=config.min_leaf,
        max_features=config.feature_share,
        random_state=config.seed,
        n_jobs=-1,
    )
    return forest.fit(embeddings, np.asarray(labels)).set_params(n_jobs=1)


def save(forest: RandomForestRegressor, path: Path) -> None:
    """Write the forest with skops, such that equal forests are equal bytes: no times, and no addresses.

    skops names objects and files by where they lie in memory; here they are numbered in the order of the schema.
    """
    import io
    import zipfile

    import skops.io

    with zipfile.ZipFile(io.BytesIO(skops.io.dumps(forest))) as made, zipfile.ZipFile(path, "w") as fixed:
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


def load(path: Path) -> RandomForestRegressor:
    """Read a forest; only scikit-learn's and NumPy's own types are trusted.

    Raises InputError when the file is missing, holds another type, or was made for other features.
    """
    import zipfile

    import skops.io

    try:
        forest: Any = skops.io.load(path, trusted=TRUSTED)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, ImportError, zipfile.BadZipFile) as error:
        raise InputError(f"{path}: not a hornbook classifier ({str(error).splitlines()[0][:160]})") from None
    if getattr(forest, "n_features_in_", None) != len(NAMES):
        raise InputError(
            f"{path}: made for {getattr(forest, 'n_features_in_', '?')} features, this version has {len(NAMES)}"
        )
    return forest


def packaged() -> RandomForestRegressor:
    """The classifier that ships with hornbook."""
    with resources.as_file(resources.files("hornbook.quality").joinpath(FILE)) as path:
        return load(path)
