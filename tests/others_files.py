"""The forms of docs/data.md that other programs write, in whole small files.

forms()["fasttext"]         # ("d.txt", b"__label__a my invoice was wrong 0\\n…")
"""

from whole_files import as_csv, as_json, as_jsonl, columns, tagged, texts, tokens

SHARE = 0.7  # of the fuzz, beside the readers' own doors


def forms():
    """Form -> (a file's name, its bytes)."""
    pairs = [(row, row["spans"][0]) for row in tagged()]
    rows = texts()
    studio = [_task(i, row["text"], _mark(row, span)) for i, (row, span) in enumerate(pairs)]
    chosen = [_task(i, row["text"], _choice(row)) for i, row in enumerate(rows)]
    least = [{"text": row["text"], "ner": [_value(row, span)], "annotation_id": i, "annotator": 1}
             for i, (row, span) in enumerate(pairs)]  # fmt: skip
    doccano = [{"id": i, "text": row["text"], "label": [[s["start"], s["end"], s["label"]]]}
               for i, (row, s) in enumerate(pairs)]  # fmt: skip
    relations = [{"id": i, "text": row["text"], "relations": [], "entities":
                  [{"id": i, "label": s["label"], "start_offset": s["start"], "end_offset": s["end"]}]}
                 for i, (row, s) in enumerate(pairs)]  # fmt: skip
    prodigy = [{"text": row["text"], "spans": [s | {"token_start": 2, "token_end": 2}], "answer": "accept"}
               for row, s in pairs]  # fmt: skip
    luis = [{"text": row["text"], "entities": [{"startPos": s["start"], "endPos": s["end"] - 1, "entity": s["label"]}]}
            for row, s in pairs]  # fmt: skip
    cats = [{"text": row["text"], "cats": {"a": float(row["label"] == "a"), "b": float(row["label"] == "b")}}
            for row in rows]  # fmt: skip
    chats = [{"messages": [{"role": "system", "content": "Sort it."}, {"role": "user", "content": row["text"]},
                           {"role": "assistant", "content": row["label"]}]} for row in rows]  # fmt: skip
    shared = [{"conversations": [{"from": "human", "value": row["text"]}, {"from": "gpt", "value": row["label"]}]}
              for row in rows]  # fmt: skip
    gliner = [{"tokenized_text": row["tokens"], "ner": [[2, 2, "CITY"]]} for row in tokens()]
    counted = [{"tokens": row["tokens"], "spans": [{"start": 2, "end": 3, "label": "CITY", "text": "Rome"}]}
               for row in tokens()]  # fmt: skip
    each = [{"sentence_id": str(i), "word": token, "tag": tag} for i, row in enumerate(tokens())
            for token, tag in zip(row["tokens"], row["tags"], strict=True)]  # fmt: skip
    ended = columns(tokens()).replace(b"B-CITY", b"S-CITY")
    bare = b"".join(line + b"\n" for line in ended.replace(b"S-CITY", b"CITY").split(b"\n") if line[:1] != b"#")
    labelled = "".join(f"__label__{row['label']} {row['text']}\n" for row in rows)
    table = {column: [row[column] for row in rows] for column in rows[0]}
    return {
        "Label Studio": ("d.json", as_json(studio)),
        "Label Studio, choices": ("d.json", as_json(chosen)),
        "Label Studio, JSON-MIN": ("d.json", as_json(least)),
        "doccano": ("d.jsonl", as_jsonl(doccano)),
        "doccano, relations": ("d.jsonl", as_jsonl(relations)),
        "doccano, classes": ("d.jsonl", as_jsonl([{"data": row["text"], "label": [row["label"]]} for row in rows])),
        "LUIS": ("d.json", as_json(luis)),
        "Prodigy": ("d.jsonl", as_jsonl(prodigy)),
        "spaCy, categories": ("d.jsonl", as_jsonl(cats)),
        "chats": ("d.jsonl", as_jsonl(chats)),
        "ShareGPT": ("d.json", as_json(shared)),
        "GLiNER": ("d.json", as_json(gliner)),
        "spans of tokens": ("d.jsonl", as_jsonl(counted)),
        "a token a row": ("d.csv", as_csv(each)),
        "columns, BIOES": ("d.txt", ended),
        "columns, IO": ("d.tsv", bare),
        "fastText": ("d.txt", labelled.encode()),
        "pandas, columns": ("d.json", as_json({c: dict(enumerate(cells)) for c, cells in table.items()})),
        "pandas, index": ("d.json", as_json({f"r{i}": row for i, row in enumerate(rows)})),
        "pandas, split": (
            "d.json",
            as_json({"columns": [*table], "index": [*range(len(rows))], "data": [[*row.values()] for row in rows]}),
        ),
        "columns in lists": ("d.json", as_json(table)),
        "intents": ("d.json", as_json({"intents": [_intent(label, rows) for label in "ab"]})),
        "splits": ("d.json", as_json({"train": rows[:8], "dev": rows[8:10], "test": rows[10:]})),
    }


def _intent(label, rows):
    return {"tag": label, "patterns": [row["text"] for row in rows if row["label"] == label], "responses": []}


def _task(id, text, mark):
    annotation = {"id": id, "was_cancelled": False, "result": [{"from_name": "a", "to_name": "text", **mark}]}
    return {"id": id, "data": {"text": text}, "annotations": [annotation]}


def _value(row, span):
    cut = row["text"][span["start"] : span["end"]]
    return {"start": span["start"], "end": span["end"], "text": cut, "labels": [span["label"]]}


def _mark(row, span):
    return {"type": "labels", "value": _value(row, span)}


def _choice(row):
    return {"type": "choices", "value": {"choices": [row["label"]]}}
