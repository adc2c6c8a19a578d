"""The parts that say again what slmfit does elsewhere, held against it."""

import random
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slmfit.ejecting.parts.words import words_of
from slmfit.text import cutting

ODD = "C++ isn't C# :-) (-: ;-) =D ->> <- -- ... !!! ‼‼ €€€ 5-3 -5 a-b-c +-7x _x ́e 🇩🇪🇫🇷 👩‍👩‍👧 👍🏽 ❤️ ::) ((: (.) http://a.b/c?d=e"
SCRIPTS = "包裹在哪里 カード กำลัง ນ້ຳ ភាសា မြန်မာ 안녕 שלום مرحبا नमस्ते Ünïcödé ﬁ İ ΑΣ."


@pytest.mark.parametrize("shortest", (1, 2))
@pytest.mark.parametrize("text", [ODD, SCRIPTS, f"{SCRIPTS}{ODD}", ODD.replace(" ", ""), SCRIPTS.replace(" ", "-")])
def test_words_are_those_of_slmfit(text, shortest):
    assert words_of(text, shortest) == cutting.words_of(text, shortest=shortest)


def test_words_of_every_character_are():
    every = [chr(point) for point in (*range(0xD800), *range(0xE000, 0x20000), 0x20001, 0x3FFFF, 0xE0101, 0x10FFFF)]
    every += " " * (-len(every) % 5)
    random.Random(0).shuffle(every)
    for start in range(0, len(every), 5):
        some = "".join(every[start : start + 5])
        text = f"{some} {some[0]}-{some[1]} {some[2]}{some[2]}{some[2]} x{some[3]}1{some[4]}"
        assert words_of(text) == cutting.words_of(text, shortest=1), ascii(text)


@given(st.text(alphabet=string.punctuation + "aA1 é€❤️‍️🏽กำ包裹", max_size=30))
def test_words_of_any_signs_are(text):
    assert words_of(text) == cutting.words_of(text, shortest=1)
