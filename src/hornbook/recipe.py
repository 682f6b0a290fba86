"""Recipes: YAML in, a checked `Recipe` out; every complaint names file, line, key and the nearest valid name.

A recipe names datasets, mixtures, models and evaluations. `extends: NAME-OR-PATH` derives one recipe from another; a
mapping is merged key by key, anything else replaces what was there.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_origin

import yaml
from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, PositiveFloat, ValidationError, model_validator

from hornbook.config import Config
from hornbook.corpus.curate import Curate
from hornbook.decontamination.decontaminate import Decontaminate
from hornbook.errors import RecipeError
from hornbook.evaluation.compare import Compare
from hornbook.evaluation.evaluate import Evaluate
from hornbook.evaluation.proxy import ARM, RAW, Proxy
from hornbook.quality.annotate import Annotate
from hornbook.quality.classify import Classify, check_kind
from hornbook.quality.embed import Embed
from hornbook.quality.score import Score
from hornbook.quality.select import Select
from hornbook.synthesis.procedural import families
from hornbook.synthesis.write import WriteExercises, WriteTextbooks
from hornbook.tokens.tokenizer import TrainTokenizer
from hornbook.training.finetune import Finetune
from hornbook.training.pretrain import Pretrain

DATASETS = ("corpus", "selected", "textbooks", "exercises")
FILTERED = "filtered"  # the name of the artifact of `select`
Path_ = tuple[str, ...]
Places = dict[Path_, str]  # key path → "file:line"
C = TypeVar("C", bound=Config)


def nameable(name: str) -> str:
    """Refuse a name that cannot stand in a folder's name or in a graph's ids."""
    if not name or name.startswith(".") or name.isdigit() or "/" in name or "\0" in name:
        raise ValueError("a name is not empty, not digits alone, holds no / and does not begin with a dot")
    return name


def without_nulls(named: Any) -> Any:
    """A mapping without the names that a derived recipe has set to null, which is how it drops one of its base's."""
    return {key: value for key, value in named.items() if value is not None} if isinstance(named, dict) else named


Name = Annotated[str, AfterValidator(nameable)]
Weights = Annotated[dict[str, PositiveFloat], Field(min_length=1)]


class Packing(Config):
    """What all packs share: `context` in tokens, and how many tokens of one text are taken at most (None: all)."""

    context: int = Field(256, gt=1)
    document_tokens: int | None = Field(None, gt=0)


class Arm(Config):
    """A student: pretrained on a mixture, or an earlier student finetuned on one.

    `tokens`: how many it is trained on, where that is not what `pretrain:` or `finetune:` of the recipe says.
    """

    pretrain: str | None = None
    base: str | None = None
    finetune: str | None = None
    tokens: int | None = Field(None, gt=0)

    @model_validator(mode="after")
    def one_kind(self) -> Arm:
        """Either `pretrain`, or `base` and `finetune` together."""
        if (self.pretrain is None) == (self.base is None) or (self.base is None) != (self.finetune is None):
            raise ValueError("a model has either `pretrain: MIXTURE`, or both `base: MODEL` and `finetune: MIXTURE`")
        return self


class Recipe(Config):
    """A whole experiment. `seed` draws the training samples, the initial weights and the order of batches.

    `embedder`: what the classifier reads, in training and in scoring.
    `mixtures`: name → dataset → weight, over the datasets `corpus`, `selected`, `textbooks`, `exercises` and
    `selections`, which are further cuts of the corpus by name (one that is null is none). `proxy`: train small students
    on each of these. `only`: make these artifacts (`select-filtered`) and what they need; all when empty.
    `responses`: a folder, beside the recipe, of teachers' answers to begin with.
    """

    recipe: Name
    seed: int = Field(0, ge=0)
    only: list[str] = []
    responses: str | None = None
    curate: Curate = Curate()
    annotate: Annotate = Annotate()
    embedder: Embed = Embed()
    classify: Classify = Classify()
    score: Score = Score()
    select: Select = Select()
    selections: Annotated[dict[Name, Select], BeforeValidator(without_nulls)] = {}
    textbooks: WriteTextbooks = WriteTextbooks()
    exercises: WriteExercises = WriteExercises()
    decontaminate: Decontaminate = Decontaminate()
    tokenizer: TrainTokenizer = TrainTokenizer()
    pack: Packing = Packing()
    mixtures: dict[Name, Weights] = {}
    models: dict[Name, Arm] = {}
    pretrain: Pretrain
    proxy: Proxy | None = None
    finetune: Finetune | None = None
    evaluate: Evaluate = Evaluate()
    compare: Compare = Compare()

    @model_validator(mode="after")
    def names_exist(self) -> Recipe:
        """Every name that one part gives another must be there."""
        for mixture, weights in self.mixtures.items():
            for dataset in weights:
                check_name(dataset, (*DATASETS, *self.selections), f"mixtures.{mixture}: no dataset")
        for model, arm in self.models.items():
            check_name(arm.pretrain or arm.finetune or "", self.mixtures, f"models.{model}: no mixture")
            if arm.base is not None:
                pretrained = [name for name, other in self.models.items() if other.pretrain]
                check_name(arm.base, pretrained, f"models.{model}: no pretrained model")
                if self.finetune is None:
                    raise ValueError(f"models.{model}: is finetuned, and the recipe has no `finetune:` settings")
        proxies = [self.proxy.pretrain] if self.proxy and self.proxy.pretrain else []
        for training in (self.pretrain, *proxies):
            model_context = training.model.resolve().context
            if self.pack.context > model_context:
                raise ValueError(f"pack.context {self.pack.context} exceeds the model's context of {model_context}")
        if max(self.evaluate.k, default=1) > self.evaluate.samples:
            raise ValueError(f"evaluate.k {max(self.evaluate.k)} exceeds evaluate.samples ({self.evaluate.samples})")
        for family in self.exercises.families or []:
            check_name(family, families(), "exercises.families: no family")
        for pair in self.compare.pairs:
            for name in pair:
                check_name(name, self.models, "compare.pairs: no model")
        return self

    @model_validator(mode="after")
    def cuts_decide(self) -> Recipe:
        """Selections have names of their own, and a proxy training has something to decide and somebody to tell."""
        for name, cut in self.selections.items():
            if name in (*DATASETS, RAW, FILTERED):
                raise ValueError(f"selections.{name}: {name!r} means something else already; choose another name")
            if cut.proxy:
                raise ValueError(f"selections.{name}: only `select` follows the proxy training, which compares these")
        if not (self.models or self.proxy or self.only):
            raise ValueError("a recipe has `models:` to train, a `proxy:` training, or says what `only:` to make")
        if self.select.proxy and self.proxy is None:
            raise ValueError("select: follows a proxy training, and the recipe has no `proxy:` settings")
        if self.proxy and not self.selections:
            raise ValueError("proxy: has no `selections:` to decide between")
        for name in (*self.models, *self.mixtures):
            if self.proxy and name.startswith(ARM):
                raise ValueError(
                    f"{name!r} begins with {ARM!r}, as the proxy training's students do; name it otherwise"
                )
        return self

    @model_validator(mode="after")
    def one_embedder(self) -> Recipe:
        """Training and scoring embed alike, by one setting; and the classifier's kind can read it."""
        for name, stage in (("classify", self.classify), ("score", self.score)):
            if stage.embedder != Embed():
                raise ValueError(f"{name}.embedder: name it once for both stages, as `embedder:` of the recipe itself")
        try:
            check_kind(self.classify.kind, self.embedder)
        except ValueError as error:
            raise ValueError(f"classify.{error}") from None
        return self


def check_name(name: str, known: Sequence[str] | dict[str, Any], complaint: str) -> None:
    """Raise ValueError naming the nearest valid name when `name` is not known."""
    if name not in known:
        raise ValueError(f"{complaint} {name!r}{suggestion(name, list(known))}")


def suggestion(name: str, known: Sequence[str]) -> str:
    """`; did you mean 'x'?`, or the list of what there is."""
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f"; did you mean {near[0]!r}?" if near else f"; there are {', '.join(known)}"


def packaged() -> list[str]:
    """Names of the recipes that ship with hornbook."""
    folder = resources.files("hornbook") / "recipes"
    return sorted(item.name.removesuffix(".yaml") for item in folder.iterdir() if item.name.endswith(".yaml"))


def load_recipe(name_or_path: str, settings: Sequence[str] = ()) -> Recipe:
    """Read, derive, override (`a.b=c`) and check a recipe. Raises RecipeError."""
    data, places = read(find(name_or_path, None), ())
    for setting in settings:
        apply_setting(data, places, setting)
    data.pop("extends", None)
    data.setdefault("recipe", Path(name_or_path).stem)
    try:
        return Recipe.model_validate(data)
    except ValidationError as error:
        raise RecipeError(explain(error, places, name_or_path)) from None


def settings_for(kind: type[C], values: dict[str, Any], settings: Sequence[str], file: Path | None = None) -> C:
    """A stage's config outside a recipe: what a YAML file says, values laid upon it, then overrides (`a.b=c`).

    Raises RecipeError.
    """
    data, places = read(file, ()) if file else ({}, {})
    values, places = merge(data, values), places | {(key,): f"--{key}" for key in values}
    for setting in settings:
        apply_setting(values, places, setting)
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        raise RecipeError(explain(error, places, kind.__name__.lower(), kind)) from None


def find(name: str, beside: Path | None) -> Path:
    """The file of a recipe: a path (relative to the recipe that extends it), or a packaged name."""
    for candidate in (*([beside.parent / name] if beside else []), Path(name)):
        if candidate.suffix in {".yaml", ".yml"}:
            if candidate.is_file():
                return candidate
        elif "/" not in name and name in packaged():
            with resources.as_file(resources.files("hornbook") / "recipes" / f"{name}.yaml") as path:
                return path
    if Path(name).suffix in {".yaml", ".yml"}:
        raise RecipeError(f"no recipe {name!r}: no such file; the packaged ones are {', '.join(packaged())}")
    raise RecipeError(f"no recipe {name!r}{suggestion(name, packaged())}; or give the path of a .yaml file")


def read(path: Path, seen: tuple[Path, ...]) -> tuple[dict[str, Any], Places]:
    """A recipe's data with what it extends merged in, and where each key stands."""
    path = path.resolve()
    if path in seen:
        chain = " → ".join(item.name for item in (*seen[seen.index(path) :], path))
        raise RecipeError(f"{path.name}: the recipe extends itself ({chain}); remove one `extends:`")
    try:
        text = path.read_text("utf-8")
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        data = yaml.safe_load(text)
    except OSError as error:
        raise RecipeError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise RecipeError(f"{path}: not UTF-8 text") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # ValueError: such as the date 2026-99-99
        raise RecipeError(f"{path.name}: not YAML ({' '.join(str(error).split())[:200]})") from None
    if not isinstance(data, dict):
        raise RecipeError(f"{path.name}: a recipe is a mapping of keys to values; found {type(data).__name__}")
    places = dict(locate(root, (), path.name))
    if isinstance(data.get("responses"), str):
        data["responses"] = str(path.parent / data["responses"])
    if "extends" not in data:
        return data, places
    if not isinstance(data["extends"], str):
        raise RecipeError(f"{places['extends',]}: extends: give one recipe name or path")
    base, base_places = read(find(data["extends"], path), (*seen, path))
    base.pop("recipe", None)  # a derived recipe is not its base: it has a name of its own, or its file's
    return merge(base, data), base_places | places


def locate(node: yaml.Node | None, at: Path_, file: str) -> Iterator[tuple[Path_, str]]:
    """Yield (key path, "file:line") for every key and list item of a YAML document."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            place = (*at, str(key.value))
            yield place, f"{file}:{key.start_mark.line + 1}"
            yield from locate(value, place, file)
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            yield (*at, str(number)), f"{file}:{value.start_mark.line + 1}"
            yield from locate(value, (*at, str(number)), file)


def merge(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """`over` laid upon `base`: mappings are merged, anything else replaced."""
    merged = dict(base)
    for key, value in over.items():
        both = isinstance(value, dict) and isinstance(base.get(key), dict)
        merged[key] = merge(base[key], value) if both else value
    return merged


def apply_setting(data: dict[str, Any], places: Places, setting: str) -> None:
    """Put `a.b=c` (from --set) into a recipe's data; the value is read as YAML."""
    dotted, equals, text = setting.partition("=")
    if not equals or not dotted:
        raise RecipeError(f"--set {setting}: write KEY=VALUE, as in --set select.share=0.1")
    try:
        value = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError):
        raise RecipeError(f"--set {setting}: the value is not YAML") from None
    if dotted == "extends":
        raise RecipeError(f"--set {setting}: name the other recipe itself, or extend it in a file")
    keys, inner = dotted.split("."), data
    for number, key in enumerate(keys):
        places[tuple(keys[: number + 1])] = f"--set {setting}"
        if number == len(keys) - 1:
            inner[key] = value
        elif isinstance(inner.setdefault(key, {}), dict):
            inner = inner[key]
        else:
            raise RecipeError(f"--set {setting}: {'.'.join(keys[: number + 1])} is a value, not a group of keys")


def explain(error: ValidationError, places: Places, name: str, kind: type[BaseModel] = Recipe) -> str:
    """One complaint of pydantic as one line: where, which key, what is wrong, what would be right.

    An unknown key comes first: what is missing is often what it was meant to be.
    """
    first = min(error.errors(), key=lambda found: found["type"] != "extra_forbidden")
    at = tuple(str(part) for part in first["loc"] if part != "[key]")
    message = first["msg"].removeprefix("Value error, ")
    within = at or next((path for path in reversed(places) if message.startswith(f"{'.'.join(path)}: ")), ())
    place = next((places[within[:n]] for n in range(len(within), 0, -1) if within[:n] in places), name)
    key = ".".join(at)
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    if first["type"] == "extra_forbidden":
        return f"{place}: unknown key {key!r}{suggestion(at[-1], keys_beside(kind, at))}{more}"
    given = "" if isinstance(first["input"], (dict, BaseModel)) else f" (given {first['input']!r})"
    return f"{place}: {key + ': ' if key else ''}{message}{given}{more}"


def keys_beside(kind: type[BaseModel], at: Path_) -> list[str]:
    """The valid keys at the level of an unknown one."""
    model: type[BaseModel] | None = kind
    named = False  # whether the next part is a name that the person gave
    for part in at[:-1]:
        field = model.model_fields.get(part) if model and not named else None
        if field is not None:
            model = config_in(field.annotation)
        named = field is not None and get_origin(field.annotation) is dict
    return list(model.model_fields) if model else []


def config_in(annotation: Any) -> type[BaseModel] | None:
    """The config class within an annotation such as `X`, `X | None` or `dict[str, X]`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    inner = (config_in(item) for item in getattr(annotation, "__args__", ()))
    return next((item for item in inner if item is not None), None)
