"""What differs in signs alone, or has no spaces, is learnt: by linear and by knn. Part of the test's words are new."""

import random

import numpy as np
import pytest

from slmfit import methods
from slmfit.methods.base import Context
from slmfit.records import Example
from slmfit.tasks import by_name

PARTS = "ba de ki lo mu na po ra si tu ve wo".split()
NEUTRAL = {
    "zh": "请问 我的 什么时候 为什么 还没有 已经 昨天 今天 客服 你好 麻烦 一下 谢谢 到底 现在 怎么 问题 一直 没人 处理",
    "ja": "すみません 私の いつ なぜ まだ 昨日 今日 お願いします ありがとう どうして 今すぐ 問題 ずっと ください",
    "th": "สวัสดี ของฉัน เมื่อไหร่ ทำไม ยังไม่ เมื่อวาน วันนี้ ขอบคุณ กรุณา ช่วย ตอนนี้ ปัญหา ตลอด เกี่ยวกับ อีกครั้ง ครับ",
}
TELLING = {
    "zh": ("包裹 快递 送货 物流 配送", "退款 账单 扣款 发票 付款"),
    "ja": ("荷物 配達 宅配 到着 発送", "返金 請求 領収書 残高 振込"),
    "th": ("พัสดุ จัดส่ง ขนส่ง ติดตาม กล่อง", "คืนเงิน ใบเสร็จ บัญชี ราคา โอนเงิน"),
}


def texts(n, words, telling, between, rng):
    """n texts of these words in two classes; one word of `telling` in each says which."""
    made = []
    for i in range(n):
        inside = [rng.choice(words) for _ in range(rng.randint(4, 9))]
        inside.insert(rng.randrange(len(inside) + 1), rng.choice(telling[i % 2]))
        made.append(Example(str(i), between.join(inside), "ab"[i % 2]))
    return made


def accuracy(name, known, asked, telling, between=" "):
    """Of what is learnt from texts of the known words, on texts of the asked ones."""
    rng = random.Random(0)
    train, validation = texts(300, known, telling, between, rng), texts(80, known, telling, between, rng)
    test = texts(200, asked, telling, between, rng)
    method = methods.create(name)
    method.fit(by_name("text-classification").with_labels("ab"), train, validation, Context())
    answers = method.predict([e.input for e in test])
    return np.mean([answer.target == e.target for answer, e in zip(answers, test, strict=True)])


@pytest.mark.parametrize("pair", ["😀 😡", ":) :(", "C++ C#", "+5 -5", "✓ ✗"])
def test_signs_tell_texts_apart(pair):
    rng = random.Random(1)
    words = sorted({"".join(rng.choices(PARTS, k=3)) for _ in range(400)})
    rng.shuffle(words)
    telling = [[sign] for sign in pair.split()]
    known, asked = words[:200], words[100:300]  # half of them new
    assert accuracy("linear", known, asked, telling) > 0.95
    assert accuracy("knn", known, asked, telling) > 0.8


@pytest.mark.parametrize("language", NEUTRAL)
def test_scripts_without_spaces(language):
    words, telling = NEUTRAL[language].split(), [words.split() for words in TELLING[language]]
    known = words[: 3 * len(words) // 4]  # a quarter of the asked ones is new
    linear, knn = (accuracy(name, known, words, telling, "") for name in ("linear", "knn"))
    assert linear > 0.9
    assert knn - 0.5 >= 0.8 * (linear - 0.5), "majority has half"
