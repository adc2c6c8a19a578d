"""Folders taken out of sentences and commands: nothing of them stays, and nothing else goes."""

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slmfit.text.places import Placeless, last


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("/home/me/Client X/train.csv: read as text-classification", "train.csv: read as text-classification"),
        ("/home/me/Client X: read train.csv as train", "Client X: read train.csv as train"),
        ("/tmp/Other One/b.csv: read", "b.csv: read"),
        ("data/secret/rows.csv: read", "rows.csv: read"),
        ("fix: give /var/log/x.txt, or ~/foo", "fix: give x.txt, or foo"),
        (r"C:\Users\me\a.csv is no table", "a.csv is no table"),
        ("and/or, 9/10, a/b/c, https://example.org/a/b, owner/name", None),
        ("fix: pip install 'slmfit[train]'", None),
        ("", None),
    ],
)
def test_paths_become_their_last_names(text, shown):
    placeless = Placeless(["/home/me/Client X/train.csv", "data/secret/rows.csv"])
    assert placeless(text) == (text if shown is None else shown)


def test_what_is_quoted_of_the_data_may_have_slashes():
    assert Placeless(["/x/y/train.csv"]).known("the label '/Arts/Movies' of /x/y/train.csv") == (
        "the label '/Arts/Movies' of train.csv"
    )


def test_a_command_keeps_its_words():
    typed = ["slmfit", "compare", "/h/Client X/train.csv", "--methods", "linear,knn=/a/b/potion", "--out", "/tmp/o p/q"]
    typed += ["--set", "knn.embeddings=/z/y/w", "--merge", "comp.*=computers"]
    assert shlex.split(Placeless(["/h/Client X/train.csv"]).command(shlex.join(typed))) == [
        "slmfit", "compare", "train.csv", "--methods", "linear,knn=potion", "--out", "q",
        "--set", "knn.embeddings=w", "--merge", "comp.*=computers",
    ]  # fmt: skip
    assert Placeless().command("slmfit 'open") == "slmfit 'open"


names = st.text(st.sampled_from("aZ9 ._-é日"), min_size=1, max_size=8).filter(lambda name: name.strip(" .") == name)


@given(st.lists(names, min_size=2, max_size=4))
def test_no_folder_of_a_known_path_stays(folders):
    folders = [f"secret{folder}" for folder in folders]
    path = "/" + "/".join([*folders, "rows.csv"])
    told = Placeless([path])(f"{path}: read, as {path!r} is there")
    assert "secret" not in told and told.count("rows.csv") == 2
    assert last(path) == "rows.csv"
