"""Vectors of texts: LSA, static embeddings, and the search among them."""

import shutil

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from conftest import make_dataset
from slmfit import embeddings
from slmfit.embeddings import LSA, Static, nearest, normalised, whole
from slmfit.errors import DataError, UsageError
from slmfit.text.cutting import FIRST
from static_model import WORDS, model2vec_folder

ODD = ["", "   ", "☃☃", "zebra quagga", "invoice", "\ud800 refund", "parcel\0late", "late " * 3000]


def unit(*shape, seed=0):
    return normalised(np.random.default_rng(seed).standard_normal(shape).astype(np.float32))


# --- LSA ---


def test_lsa_puts_related_texts_together():
    data = make_dataset(sizes=(300, 1, 60))
    lsa = LSA.fit([e.input for e in data.train], dimension=16)
    rows, queries = (lsa.embed([e.input for e in part]) for part in (data.train, data.test))
    ids, _ = nearest(queries, rows, 1)
    assert np.mean([data.train[i].target == e.target for i, e in zip(ids[:, 0], data.test, strict=True)]) > 0.8


def test_lsa_same_texts_same_bits_and_survives_saving(tmp_path):
    texts = [e.input for e in make_dataset().train]
    first, second = LSA.fit(texts, dimension=8), LSA.fit(texts, dimension=8)
    assert np.array_equal(first.projection, second.projection) and np.array_equal(first.scale, second.scale)
    at_once, vectors = LSA.fit_embed(texts, dimension=8)
    assert np.array_equal(at_once.projection, first.projection) and np.array_equal(vectors, first.embed(texts))
    first.save(tmp_path)
    again = embeddings.load(tmp_path)
    assert again.dimension == 8
    assert np.array_equal(again.embed(texts + ODD), first.embed(texts + ODD))


@pytest.mark.parametrize("texts", [["one text"], ["a", "b"], ["", ""], ["same same"] * 5, ["zz x", "zz ww", "", "ww"]])
def test_lsa_of_hardly_anything(texts, tmp_path):
    lsa = LSA.fit(texts)
    vectors = lsa.embed(texts + ODD)
    assert vectors.dtype == np.float32 and np.isfinite(vectors).all()
    lengths = np.linalg.norm(vectors, axis=1)
    assert np.all((lengths == 0) | np.isclose(lengths, 1, atol=1e-5))
    lsa.save(tmp_path)
    assert np.array_equal(LSA.load(tmp_path).embed(texts), lsa.embed(texts))


def test_lsa_of_before_keeps_its_words(tmp_path):
    """A file without a cut: signs are no words, a clause without spaces is one."""
    one = np.ones(3, np.float32)
    LSA(["card", "++", "我的包裹在哪里"], one, np.eye(3, dtype=np.int8), one, FIRST).save(tmp_path)
    path = tmp_path / LSA.FILE
    tensors = load_file(path)
    assert tensors.pop("cut").tolist() == [FIRST]
    save_file(tensors, path)
    lsa = LSA.load(tmp_path)
    for texts in (["C++ card", "我的包裹在哪里"], ["C++ card", "我的包裹在哪里"] * 40):
        assert np.array_equal(lsa.embed(texts)[:2], [[1, 0, 0], [0, 0, 1]])
    save_file(tensors | {"cut": np.array([99], np.int32)}, path)
    with pytest.raises(DataError, match="its words are cut in a way"):
        LSA.load(tmp_path)


def test_lsa_one_by_one_as_in_a_batch():
    texts = [e.input for e in make_dataset().train]
    lsa = LSA.fit(texts, dimension=8)
    batch = lsa.embed(texts + ODD)  # more than FEW, so split by the other engine
    assert np.array_equal(np.vstack([lsa.embed([text]) for text in texts + ODD]), batch)


# --- static ---


def test_static_is_the_mean_of_known_tokens(tmp_path):
    folder = model2vec_folder(tmp_path / "model")
    static = Static(folder)
    table = np.random.default_rng(0).standard_normal((len(WORDS), 5)).astype(np.float32)
    expected = normalised(table[[3, 4, 3]].mean(axis=0, keepdims=True))
    assert np.allclose(static.embed(["parcel unheard courier parcel"]), expected, atol=1e-6)
    vectors = static.embed(ODD)
    assert not vectors[:4].any(), "nothing known: the zero vector"
    assert np.allclose(np.linalg.norm(vectors[4:], axis=1), 1, atol=1e-6)
    assert static.embed([]).shape == (0, 5)


def test_static_cuts_long_texts(tmp_path):
    text = "invoice " * 10 + "parcel " * 10
    short = Static(model2vec_folder(tmp_path / "short", config={"max_length": 4})).embed([text, "invoice"])
    assert np.allclose(short[0], short[1], atol=1e-6)
    full = Static(model2vec_folder(tmp_path / "full", config={"max_length": None})).embed([text, "invoice"])
    assert not np.allclose(full[0], full[1], atol=1e-2)


@pytest.mark.parametrize("dtype", [np.int8, np.float16, np.float32])
def test_static_types_mapping_and_weights(tmp_path, dtype):
    table = (np.random.default_rng(1).standard_normal((3, 4)) * 40).astype(dtype)
    mapping, weights = np.array([0, 0, 1, 1, 2, 2, 0]), np.array([1, 1, 2, 1, 0.5, 1, 1], np.float32)
    static = Static(model2vec_folder(tmp_path / "m", table=table, mapping=mapping, weights=weights))
    expected = normalised(2 * table[[1]].astype(np.float32) + 0.5 * table[[2]].astype(np.float32))
    assert np.allclose(static.embed(["refund courier"]), expected, atol=1e-6)


def test_static_is_saved_whole(tmp_path):
    source, target = model2vec_folder(tmp_path / "source"), tmp_path / "target"
    target.mkdir()
    before = Static(source).embed(ODD)
    Static(source).save(target)
    shutil.rmtree(source)
    assert np.array_equal(embeddings.load(target).embed(ODD), before)


def test_static_refuses_what_it_cannot_use(tmp_path):
    with pytest.raises(UsageError, match="no such folder"):
        Static(tmp_path / "none")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"tokenizer\.json and model\.safetensors"):
        Static(tmp_path / "empty")
    damage = {
        "cut": ("model.safetensors", lambda b: b[:-7], "damaged"),
        "garbage": ("model.safetensors", lambda b: b"\xff" * 40, "damaged"),
        "json": ("config.json", lambda b: b"{", r"config\.json cannot be read"),
        "list": ("config.json", lambda b: b"[]", "not a JSON object"),
        "length": ("config.json", lambda b: b'{"max_length": "long"}', "cannot be used"),
        "tokenizer": ("tokenizer.json", lambda b: b"{}", "cannot be used"),
    }
    for name, (file, change, message) in damage.items():
        path = model2vec_folder(tmp_path / name) / file
        path.write_bytes(change(path.read_bytes()))
        with pytest.raises(DataError, match=message):
            Static(tmp_path / name)
    table = np.ones((len(WORDS), 2), np.float32)
    tables = {
        "few": {"table": table[:3]},
        "flat": {"table": table[:, 0].copy()},
        "nan": {"table": table * np.float32("nan")},
        "far": {"table": table, "mapping": np.arange(len(WORDS)) + 1},
        "light": {"table": table, "weights": np.ones(2, np.float32)},
    }
    for name, tensors in tables.items():
        with pytest.raises(DataError, match="model"):
            Static(model2vec_folder(tmp_path / name, **tensors))


# --- search ---


def brute(queries, rows, k):
    products = queries.astype(np.float64) @ rows.astype(np.float64).T
    return np.argsort(-products, axis=1, kind="stable")[:, :k], -np.sort(-products, axis=1)[:, :k]


@pytest.mark.parametrize(
    ("n", "q", "d", "k"),
    [(1, 1, 3, 5), (7, 3, 2, 7), (50, 1, 8, 10), (5000, 40, 24, 100), (20_000, 600, 12, 15), (33, 1100, 4, 3)],
)
def test_nearest_as_brute_force(n, q, d, k):
    queries, rows = unit(q, d, seed=1), unit(n, d, seed=2)
    ids, products = nearest(queries, rows, k)
    _, true = brute(queries, rows, k)
    assert ids.shape == products.shape == (q, min(k, n))
    assert np.allclose(products, true, atol=1e-6)
    assert np.allclose((queries[:, None] * rows[ids]).sum(axis=2), true, atol=1e-6)


def test_equal_rows_come_in_their_order():
    rows = np.repeat(unit(5, 6), 4000, axis=0)
    ids, products = nearest(rows[:1], rows, 10)
    assert ids.tolist() == [list(range(10))] and np.ptp(products) == 0
    ids, products = nearest(np.zeros((3, 6), np.float32), rows, 4)
    assert ids.tolist() == [[0, 1, 2, 3]] * 3 and not products.any()


def test_whole_vectors_give_the_same_bits_in_any_batch():
    rows, queries = (whole(unit(n, 60, seed=n)).astype(np.float32) for n in (6000, 530))
    scale = 1 / np.linalg.norm(rows, axis=1)
    ids, products = nearest(queries, rows, 20, scale)
    true_ids, true = brute(queries, rows * scale[:, None], 20)
    assert np.allclose(products, true, rtol=1e-5)
    assert (ids == true_ids).mean() > 0.999
    for i in (0, 7, 529):
        one = nearest(queries[i : i + 1], rows, 20, scale)
        assert np.array_equal(one[0][0], ids[i]) and np.array_equal(one[1][0], products[i])


def test_whole_keeps_directions_and_leaves_room():
    vectors = np.vstack([unit(100, 2000), np.zeros((1, 2000), np.float32), np.eye(1, 2000, dtype=np.float32)])
    numbers = whole(vectors).astype(np.float64)
    assert np.linalg.norm(numbers, axis=1).max() <= 4096
    assert not numbers[100].any() and numbers[101, 0] == 127
    assert (normalised(numbers[:100].astype(np.float32)) * vectors[:100]).sum(axis=1).min() > 0.999


def test_too_many_rows_are_refused(monkeypatch):
    monkeypatch.setattr("slmfit.embeddings.neighbours.MOST_ROWS", 10)
    with pytest.raises(ValueError, match="at most 9"):
        nearest(unit(1, 2), unit(10, 2), 1)


def test_blas_gets_its_threads_back():
    from threadpoolctl import threadpool_info

    def threads():
        return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]

    before = threads()
    nearest(unit(600, 4), unit(50, 4), 3)
    with embeddings.threads.one_blas_thread(), embeddings.threads.one_blas_thread():
        assert set(threads()) == {1}
    assert threads() == before
