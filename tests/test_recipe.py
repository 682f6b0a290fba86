"""Recipes: what they derive from, what they refuse, and that every complaint says where it stands."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from hornbook.errors import RecipeError
from hornbook.pipeline import graph
from hornbook.recipe import load_recipe, merge, packaged
from runs import Command, recipe_file

LEAF = st.integers() | st.text(max_size=3) | st.none() | st.lists(st.integers(), max_size=2)
TREE = st.dictionaries(
    st.sampled_from("abc"),
    st.recursive(LEAF, lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3), max_leaves=8),
    max_size=3,
)
TREES = given(TREE, TREE)


def leaves(tree: Any, at: tuple[str, ...] = ()) -> dict[tuple[str, ...], Any]:
    """Every path to something that is no mapping, or an empty one."""
    if not isinstance(tree, dict) or not tree:
        return {at: tree}
    return {path: leaf for key, value in tree.items() for path, leaf in leaves(value, (*at, key)).items()}


def value_at(tree: Any, path: tuple[str, ...]) -> Any:
    for key in path:
        tree = tree[key]
    return tree


@TREES
def test_merging_keeps_everything_that_is_laid_on_top(base: dict[str, Any], over: dict[str, Any]) -> None:
    merged = merge(base, over)
    for path, leaf in leaves(over).items():
        found = value_at(merged, path)
        assert found == leaf or (leaf == {} and isinstance(found, dict))


def untouched(over: Any, path: tuple[str, ...]) -> bool:
    """Whether `over` says nothing about what stands at a path."""
    for key in path:
        if not isinstance(over, dict) or key not in over:
            return isinstance(over, dict)
        over = over[key]
    return False


@TREES
def test_merging_keeps_what_is_not_laid_over(base: dict[str, Any], over: dict[str, Any]) -> None:
    merged = merge(base, over)
    for path, leaf in leaves(base).items():
        if untouched(over, path):
            assert value_at(merged, path) == leaf


@TREES
def test_merging_adds_nothing_of_its_own(base: dict[str, Any], over: dict[str, Any]) -> None:
    known = leaves(base) | leaves(over)
    for path, leaf in leaves(merge(base, over)).items():
        assert known.get(path, leaf if leaf == {} else "absent") == leaf


@TREES
def test_merging_twice_is_merging_once(base: dict[str, Any], over: dict[str, Any]) -> None:
    assert merge(merge(base, over), over) == merge(base, over)


@TREES
def test_merging_leaves_its_arguments_alone(base: dict[str, Any], over: dict[str, Any]) -> None:
    before = copy.deepcopy((base, over))
    merge(base, over)
    assert (base, over) == before


def test_merging_with_nothing_changes_nothing() -> None:
    tree = {"a": {"b": 1}}
    assert merge(tree, {}) == merge({}, tree) == tree


def test_a_list_is_replaced_not_lengthened() -> None:
    assert merge({"a": [1, 2]}, {"a": [3]}) == {"a": [3]}


def complaint_about(path: Path, text: str, *settings: str) -> str:
    recipe_file(path, text)
    with pytest.raises(RecipeError) as caught:
        load_recipe(str(path), settings)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("extends: smoke\nselekt: {share: 0.5}\n", "r.yaml:2: unknown key 'selekt'; did you mean 'select'?"),
        ("extends: smoke\nselect:\n  shore: 0.5\n", "r.yaml:3: unknown key 'select.shore'; did you mean 'share'?"),
        (
            "extends: smoke\nclassify:\n  levelled:\n    reach: 0.1\n    rich: 5\n",
            "r.yaml:5: unknown key 'classify.levelled.rich'; did you mean 'reach'?",
        ),
        (
            "extends: smoke\npretrain:\n  model: {presset: phi-smoke}\n",
            "r.yaml:3: unknown key 'pretrain.model.presset'; did you mean 'preset'?",
        ),
        (
            "extends: smoke\nevaluate:\n  sandbox:\n    worker: 5\n",
            "r.yaml:4: unknown key 'evaluate.sandbox.worker'; did you mean 'workers'?",
        ),
        (
            "extends: smoke\nmodels:\n  extra: {pretrian: raw}\n",
            "r.yaml:3: unknown key 'models.extra.pretrian'; did you mean 'pretrain'?",
        ),
        (
            "extends: smoke\nmodels:\n  base:\n    pretrian: raw\n",
            "r.yaml:4: unknown key 'models.base.pretrian'; did you mean 'pretrain'?",
        ),
    ],
)
def test_an_unknown_key_is_named_with_place_and_nearest(tmp_path: Path, text: str, complaint: str) -> None:
    assert complaint_about(tmp_path / "r.yaml", text) == complaint


def test_a_key_like_no_other_comes_with_what_there_is(tmp_path: Path) -> None:
    found = complaint_about(tmp_path / "r.yaml", "extends: smoke\nselect: {zzz: 1}\n")
    assert found == "r.yaml:2: unknown key 'select.zzz'; there are share, at_least, proxy"


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("extends: smoke\nselect:\n  share: much\n", "r.yaml:3: select.share: Input should be a valid number"),
        ("extends: smoke\nselect:\n  share: 1.5\n", "r.yaml:3: select.share: Input should be less than or equal to 1"),
        ("extends: smoke\ncurate:\n  packages:\n    - python\n    - 5\n", "r.yaml:5: curate.packages.1: "),
        ("extends: smoke\nselect: 5\n", "r.yaml:2: select: "),
        ("extends: smoke\nselect: {share: .nan}\n", "r.yaml:2: select.share: "),
        ("extends: smoke\nseed: -1\n", "r.yaml:2: seed: Input should be greater than or equal to 0 (given -1)"),
        ("extends: smoke\nmodels:\n  extra: {}\n", "r.yaml:3: models.extra: a model has either `pretrain: MIXTURE`"),
        ("extends: smoke\nmodels:\n  extra: {base: raw}\n", "r.yaml:3: models.extra: a model has either"),
        ("extends: smoke\nmixtures:\n  none: {}\n", "r.yaml:3: mixtures.none: "),
        (
            "extends: smoke\nmixtures:\n  none: {corpus: 0}\n",
            "r.yaml:3: mixtures.none.corpus: Input should be greater than 0",
        ),
        ("extends: smoke\nmixtures: {5: {corpus: 1}}\n", "r.yaml:2: mixtures.5"),
        ("extends: smoke\n7: {corpus: 1}\n", "r.yaml:2: "),
    ],
)
def test_an_ill_typed_value_is_named_with_its_place(tmp_path: Path, text: str, start: str) -> None:
    assert complaint_about(tmp_path / "r.yaml", text).startswith(start)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (
            "extends: smoke\nmixtures:\n  more:\n    corpsu: 1\n",
            "r.yaml:3: mixtures.more: no dataset 'corpsu'; did you mean 'corpus'?",
        ),
        (
            "extends: smoke\nmodels:\n  more: {pretrain: rwa}\n",
            "r.yaml:3: models.more: no mixture 'rwa'; did you mean 'raw'?",
        ),
        (
            "extends: smoke\nmodels:\n  more: {base: filterd, finetune: raw+exercises}\n",
            "r.yaml:3: models.more: no pretrained model 'filterd'; did you mean 'filtered'?",
        ),
        (
            "extends: smoke\ncompare:\n  pairs: [[raw, filterde]]\n",
            "r.yaml:3: compare.pairs: no model 'filterde'; did you mean 'filtered'?",
        ),
        (
            "extends: smoke\nfinetune: null\n",
            "models.raw+exercises: is finetuned, and the recipe has no `finetune:` settings",
        ),
        (
            "extends: smoke\nselections: {top: {share: 0.1}}\nmixtures:\n  more: {tpo: 1}\n",
            "r.yaml:4: mixtures.more: no dataset 'tpo'; did you mean 'top'?",
        ),
        (
            "extends: smoke\nselections:\n  corpus: {share: 0.1}\n",
            "r.yaml:3: selections.corpus: 'corpus' means something else already; choose another name",
        ),
        (
            "extends: proxy\nselections:\n  top9: {proxy: true}\n",
            "r.yaml:3: selections.top9: only `select` follows the proxy training, which compares these",
        ),
        (
            "extends: smoke\nselect: {proxy: true}\n",
            "r.yaml:2: select: follows a proxy training, and the recipe has no `proxy:` settings",
        ),
        ("extends: smoke\nproxy: {}\n", "r.yaml:2: proxy: has no `selections:` to decide between"),
        (
            "extends: proxy\nproxy: null\n",
            "a recipe has `models:` to train, a `proxy:` training, or says what `only:` to make",
        ),
        (
            "extends: proxy\nproxy: {seeds: [1, 1]}\n",
            "r.yaml:2: proxy.seeds: a seed stands there twice (given [1, 1])",
        ),
        (
            "extends: proxy\nmixtures:\n  proxy-a: {corpus: 1}\n",
            "'proxy-a' begins with 'proxy-', as the proxy training's students do; name it otherwise",
        ),
        (
            "extends: proxy\nproxy: {pretrain: {tokens: 10, model: {preset: phi-smoke}}}\n",
            "pack.context 256 exceeds the model's context of 128",
        ),
    ],
)
def test_a_name_that_one_part_gives_another_must_be_there(tmp_path: Path, text: str, complaint: str) -> None:
    assert complaint_about(tmp_path / "r.yaml", text).endswith(complaint)


@pytest.mark.parametrize("name", ["a/b", "../b", ".b", "", "7", "a\\0b"])
@pytest.mark.parametrize(
    "text",
    [
        "recipe: %s\nextends: smoke\n",
        "extends: smoke\nmodels: {%s: {pretrain: raw}}\n",
        "extends: smoke\nmixtures: {%s: {corpus: 1}}\n",
        "extends: smoke\nselections: {%s: {share: 0.1}}\n",
    ],
    ids=["recipe", "model", "mixture", "selection"],
)
def test_a_name_that_cannot_name_a_folder_is_refused(tmp_path: Path, name: str, text: str) -> None:
    found = complaint_about(tmp_path / "r.yaml", text % f'"{name}"')
    assert "a name is not empty, not digits alone, holds no / and does not begin with a dot" in found
    assert found.startswith(("r.yaml:1: ", "r.yaml:2: "))


def test_several_mistakes_are_counted(tmp_path: Path) -> None:
    found = complaint_about(tmp_path / "r.yaml", "extends: smoke\nselect: {share: 2, shore: 1}\nsed: 1\n")
    assert found.endswith("(and 2 more)")


def test_a_recipe_is_derived_by_name() -> None:
    assert load_recipe("smoke").mixtures == load_recipe("laptop").mixtures


def test_a_derived_recipe_keeps_what_it_does_not_name(tmp_path: Path) -> None:
    made = load_recipe(str(recipe_file(tmp_path / "mine.yaml", "extends: smoke\nselect: {share: 0.5}\n")))
    smoke = load_recipe("smoke")
    assert made.select.share == 0.5
    assert made.model_copy(update={"select": smoke.select, "recipe": "smoke"}) == smoke


def test_null_drops_a_selection_of_what_is_extended(tmp_path: Path) -> None:
    path = recipe_file(
        tmp_path / "mine.yaml", "extends: proxy\nselections: {top5: null, top20: null, top1: {share: 0.01}}\n"
    )
    assert list(load_recipe(str(path)).selections) == ["top50", "top30", "top10", "score3", "top1"]


def test_a_recipe_is_derived_by_path_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe_file(tmp_path / "one" / "base.yaml", "extends: smoke\nrecipe: base\nseed: 3\n")
    recipe_file(tmp_path / "one" / "mine.yaml", "extends: base.yaml\nselect: {share: 0.5}\n")
    monkeypatch.chdir(tmp_path)
    made = load_recipe("one/mine.yaml")
    assert (made.seed, made.select.share, made.recipe) == (3, 0.5, "mine")


def test_a_mistake_in_what_is_extended_is_placed_there(tmp_path: Path) -> None:
    recipe_file(tmp_path / "base.yaml", "extends: smoke\n\n\nseeed: 3\n")
    assert complaint_about(tmp_path / "mine.yaml", "extends: base.yaml\nseed: 4\n").startswith("base.yaml:4: ")


def test_a_recipe_without_a_name_is_called_after_its_file(tmp_path: Path) -> None:
    text = yaml.safe_dump(load_recipe("smoke").model_dump(mode="json", exclude={"recipe"}, exclude_defaults=True))
    assert load_recipe(str(recipe_file(tmp_path / "mine.yaml", text))).recipe == "mine"


def test_a_recipe_that_extends_itself_is_refused(tmp_path: Path) -> None:
    found = complaint_about(tmp_path / "r.yaml", "extends: r.yaml\n")
    assert found == "r.yaml: the recipe extends itself (r.yaml → r.yaml); remove one `extends:`"


def test_a_cycle_of_recipes_is_refused(tmp_path: Path) -> None:
    recipe_file(tmp_path / "a.yaml", "extends: b.yaml\n")
    recipe_file(tmp_path / "b.yaml", "extends: a.yaml\n")
    found = complaint_about(tmp_path / "r.yaml", "extends: a.yaml\n")
    assert found == "a.yaml: the recipe extends itself (a.yaml → b.yaml → a.yaml); remove one `extends:`"


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"a: [1\n", "r.yaml: not YAML"),
        (b"a: \0\n", "r.yaml: not YAML"),
        (b"seed: 2026-99-99\n", "r.yaml: not YAML"),
        (b"[" * 5000, "r.yaml: not YAML"),
        (b"a: \xff\n", "r.yaml: not UTF-8 text"),
        (b"", "r.yaml: a recipe is a mapping of keys to values; found NoneType"),
        (b"- 1\n", "r.yaml: a recipe is a mapping of keys to values; found list"),
        (b"extends: [smoke]\n", "r.yaml:1: extends: give one recipe name or path"),
        (b"extends: smok\n", "no recipe 'smok'; did you mean 'smoke'?"),
        (b"recipe: x\n", "r.yaml: "),
    ],
)
def test_a_file_that_is_no_recipe_is_refused(tmp_path: Path, data: bytes, complaint: str) -> None:
    path = tmp_path / "r.yaml"
    path.write_bytes(data)
    with pytest.raises(RecipeError) as caught:
        load_recipe(str(path))
    assert "\n" not in str(caught.value)
    assert complaint in str(caught.value)


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("smok", "no recipe 'smok'; did you mean 'smoke'?; or give the path of a .yaml file"),
        ("none.yaml", "no recipe 'none.yaml'"),
        ("/", "no recipe '/'; there are exercises, laptop, proxy, smoke"),
    ],
)
def test_a_recipe_that_is_not_there_is_named(name: str, complaint: str) -> None:
    with pytest.raises(RecipeError) as caught:
        load_recipe(name)
    assert str(caught.value).startswith(complaint)


def test_settings_are_laid_over_a_recipe() -> None:
    made = load_recipe("smoke", ["seed=7", "select.share=0.5", "curate.packages=[numpy]", "classify.trees=3"])
    assert (made.seed, made.select.share, made.curate.packages) == (7, 0.5, ["numpy"])
    assert made.classify.trees == 3
    assert made.classify.min_labels == load_recipe("smoke").classify.min_labels


def test_a_later_setting_wins() -> None:
    assert load_recipe("smoke", ["seed=7", "seed=8"]).seed == 8


@pytest.mark.parametrize(
    ("setting", "complaint"),
    [
        ("seed", "--set seed: write KEY=VALUE, as in --set select.share=0.1"),
        ("=1", "--set =1: write KEY=VALUE, as in --set select.share=0.1"),
        ("seed=[1", "--set seed=[1: the value is not YAML"),
        ("seed=2026-99-99", "--set seed=2026-99-99: the value is not YAML"),
        ("recipe.name=1", "--set recipe.name=1: recipe is a value, not a group of keys"),
        ("selct.share=1", "--set selct.share=1: unknown key 'selct'; did you mean 'select'?"),
        ("select.shar=1", "--set select.shar=1: unknown key 'select.shar'; did you mean 'share'?"),
        ("select.share=no", "--set select.share=no: select.share: "),
        ("extends=laptop", "--set extends=laptop: "),
    ],
)
def test_a_bad_setting_is_refused(setting: str, complaint: str) -> None:
    with pytest.raises(RecipeError) as caught:
        load_recipe("smoke", [setting])
    assert str(caught.value).startswith(complaint)


def test_there_are_recipes() -> None:
    assert {"laptop", "smoke"} <= set(packaged())


@pytest.mark.parametrize("name", packaged())
def test_every_packaged_recipe_loads_and_plans(name: str, hornbook: Command, tmp_path: Path) -> None:
    assert load_recipe(name).recipe == name
    done = hornbook("run", name, "--dry-run", "--workdir", tmp_path / "work", "--json")
    assert done.code == 0, done.err
    assert done.json["recipe"] == name
    ends = {"evaluate", "compare"} if load_recipe(name).models else {"target_bits", "decide"}
    assert {stage["stage"] for stage in done.json["stages"]} >= {"curate", "pretrain", *ends}
    assert not (tmp_path / "work").exists()


def test_an_arm_may_have_a_budget_of_its_own() -> None:
    nodes = {node.id: node for node in graph(load_recipe("exercises"))}
    trained = {node.name: node for node in nodes.values() if node.stage in ("pretrain", "finetune")}
    budgets = {"base": 700_000, "without exercises": 2_100_000, "with exercises": 4_200_000}
    for name, tokens in budgets.items():
        assert trained[name].config.model_dump()["tokens"] == tokens
        assert nodes[trained[name].inputs["pack"]].config.model_dump()["tokens"] == tokens
