"""The document of the API, written by hand, and its page.

    document(Limits())["paths"]["/v1/classify"]["post"]

The routes are mounted without it (models that check every field on the way in and out cost half the speed), so a test
holds it against what the routes do.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from slmfit.environment import package_version
from slmfit.serving.limits import Limits
from slmfit.serving.line import Line

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": "number"}
WHOLE: Schema = {"type": "integer"}
FLAG: Schema = {"type": "boolean"}
SHARE: Schema = {"type": "number", "minimum": 0, "maximum": 1}


def _object(required: Sequence[str], **properties: Schema) -> Schema:
    return {"type": "object", "required": list(required), "properties": properties}


def _list(of: Schema) -> Schema:
    return {"type": "array", "items": of}


def _or_null(schema: Schema) -> Schema:
    return {**schema, "type": [schema["type"], "null"]}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


PAIR: Schema = {**_list(TEXT), "minItems": 2, "maxItems": 2, "description": "Two texts, of a run that reads pairs."}
TOKENS = _object(["tokens"], tokens=_list(TEXT))
QUESTION = _object(
    ["question", "options"],
    question=TEXT,
    options={"anyOf": [_list(TEXT), {"type": "object", "additionalProperties": TEXT}]},
    context=TEXT,
)
COMMON = {
    "index": {**WHOLE, "description": "Which input it is of."},
    "outcome": {**TEXT, "description": "Where it is not ok: abstained (below the threshold), refused, timeout …"},
    "truncated": {**FLAG, "description": "Whether the input is longer than what was read of it."},
    "error": _object(["message", "type"], message=TEXT, type=TEXT),
}
LABEL = _object(
    ["index"],
    label={**_or_null(TEXT), "description": "Of a question the letter; null where there is no answer."},
    probs={**_or_null(_list(SHARE)), "description": "In the order of the model's labels, or of the options."},
    num_classes=WHOLE,
    words={
        **_list(_object(["word", "weight"], word=TEXT, weight=NUMBER)),
        "description": "With words, what the answer hung on: above 0 for it, below against it.",
    },
    top={**_list(_object(["label", "prob"], label=TEXT, prob=SHARE)), "description": "With top_k, the likeliest."},
    **COMMON,
)
CHOICE = _object(["index"], **{**LABEL["properties"], "text": {**_or_null(TEXT), "description": "Of the option."}})
SPAN = _object(
    ["start", "end", "label", "text"],
    start={**WHOLE, "description": "In code points, from 0."},
    end={**WHOLE, "description": "The first that is not in it."},
    label=TEXT,
    text=TEXT,
    probability=SHARE,
)
ENTITIES = _object(
    ["index"],
    entities=_or_null(_list(SPAN)),
    intent=_or_null(TEXT),
    intent_probability=SHARE,
    unplaced=_list(_object(["text", "label"], text=TEXT, label=TEXT)),
    top=_list(_object(["intent", "prob"], intent=TEXT, prob=SHARE)),
    **COMMON,
)
MODEL = _object(
    ["id", "object", "created", "owned_by", "task"],
    id=TEXT,
    object={"const": "model"},
    created=WHOLE,
    owned_by=TEXT,
    task=TEXT,
    method=TEXT,
    labels=_list(TEXT),
    intents=_list(TEXT),
    base_model=_or_null(TEXT),
    max_model_len=_or_null(WHOLE),
)
ERROR = _object(
    ["error"],
    error=_object(
        ["message", "type", "code"], message=TEXT, type=TEXT, param=_or_null(TEXT), code={**WHOLE, "minimum": 400}
    ),
)

# kind -> summary, what an input is, what an answer is, an example of an input
KINDS: dict[str, tuple[str, list[Schema], Schema, Any]] = {
    "classify": (
        "Labels of texts.", [TEXT, PAIR, {"type": "object"}], LABEL, ["my card was charged twice", "where is it?"]
    ),
    "entities": ("Entities of texts, and their intent.", [TEXT, TOKENS], ENTITIES, ["fly to Rome on Monday"]),
    "choose": (
        "The right option of questions.", [QUESTION], CHOICE, {"question": "What is 2 + 2?", "options": ["3", "4"]}
    ),
}  # fmt: skip
CHAT = "/v1/chat/completions"
REFUSALS = {
    400: "The request cannot be answered as it is; the message says why.",
    401: "The server has a token, and the request has not.",
    403: "Another site's page asks.",
    404: "There is no such model.",
    408: "The request took too long to come.",
    413: "The body, or the number of inputs, is too large.",
    415: "The body is compressed, or not said to be JSON.",
    421: "The server does not go by the name in Host.",
    429: "Too much waits: try again after the seconds in Retry-After.",
    500: "The model failed on the input.",
    503: "The model is not there: it starts again, or the server ends.",
}
PAGES = {
    "/health": ("Whether the server runs. It needs no token.", "application/json", [200]),
    "/ready": ("Whether every model is loaded, and the server is not about to end.", "application/json", [200, 503]),
    "/v1/models": ("The runs that are served.", "application/json", [200]),
    "/metrics": ("Counts and times for Prometheus; no texts.", "text/plain", [200]),
    "/openapi.json": ("This document.", "application/json", [200]),
    "/docs": ("The page of this document.", "text/html", [200]),
}


def route_of(path: str) -> str:
    """The route that a path counts as: what is none of ours is one word, however many there are."""
    return path if path in (*PAGES, CHAT) or path.removeprefix("/v1/") in KINDS else "other"


def document(limits: Limits) -> dict[str, Any]:
    """OpenAPI 3.1."""
    paths: dict[str, Any] = {f"/v1/{kind}": {"post": _asking(kind, limits)} for kind in KINDS}
    paths[CHAT] = {"post": _chatting()}
    for path, (summary, media, statuses) in PAGES.items():
        answer: Schema = _ref("Models") if path == "/v1/models" else {"type": "object"}
        content = {media: {"schema": answer if media == "application/json" else TEXT}}
        good = {str(status): {"description": "See the summary.", "content": content} for status in statuses}
        free: dict[str, Any] = {"security": []} if path == "/health" else {}
        paths[path] = {"get": {"summary": summary, "responses": good | _refusals(401, 403, 408, 421), **free}}
    schemas = {"Label": LABEL, "Entities": ENTITIES, "Choice": CHOICE, "Model": MODEL, "Error": ERROR}
    schemas["Models"] = _object(["object", "data"], object={"const": "list"}, data=_list(_ref("Model")))
    return {
        "openapi": "3.1.0",
        "info": {"title": "slmfit", "version": package_version("slmfit") or "0", "description": __doc__ and _ABOUT},
        "security": [{}, {"token": []}],
        "paths": paths,
        "components": {"schemas": schemas, "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
    }


_ABOUT = "Runs of slmfit, answered over HTTP. The shape of /v1/classify is that of vLLM and SGLang."
_ANSWERS = {"classify": "Label", "entities": "Entities", "choose": "Choice"}


def _asking(kind: str, limits: Limits) -> Schema:
    summary, inputs, _, example = KINDS[kind]
    one: Schema = inputs[0] if len(inputs) == 1 else {"anyOf": inputs}
    many = {**_list(one), "minItems": 1, "maxItems": limits.inputs}
    body = _object(
        ["input"],
        model={**_or_null(TEXT), "description": "Which run; needed where several do this task."},
        input={"anyOf": [one, many], "description": "One input or many."},
        top_k={
            **_or_null(WHOLE),
            "minimum": 1,
            "maximum": 10_000,
            "description": "Also name so many, best first.",
        },
        threshold={**_or_null(SHARE), "description": "No answer, or no entity, that is less probable."},
        words={
            **_or_null(WHOLE),
            "minimum": 1,
            "maximum": 100,
            "description": "Also so many words that the answer hung on, where the method can say: `linear`.",
        },
        user=_or_null(TEXT),
    )
    body["additionalProperties"] = False
    answer = _object(
        ["object", "model", "data"], object={"const": "list"}, model=TEXT, data=_list(_ref(_ANSWERS[kind]))
    )
    good = {
        "200": {"description": "An object an input, in order.", "content": {"application/json": {"schema": answer}}}
    }
    asked = {"application/json": {"schema": body, "example": {"input": example}}}
    return {
        "summary": summary,
        "requestBody": {"required": True, "content": asked},
        "responses": good | _refusals(*REFUSALS),
    }


def _chatting() -> Schema:
    """As much as differs from OpenAI's own document of it."""
    content: Schema = {"anyOf": [TEXT, _list(_object(["type", "text"], type={"const": "text"}, text=TEXT))]}
    role = {"enum": ["system", "developer", "user", "assistant"]}
    message = _object(["role", "content"], role=role, content=content)
    body = _object(
        ["messages"],
        model={**_or_null(TEXT), "description": "Which run; needed where several write."},
        messages={**_list(message), "minItems": 1},
        max_tokens={**_or_null(WHOLE), "minimum": 1},
        temperature={**_or_null(NUMBER), "minimum": 0, "maximum": 2},
        top_p=_or_null(SHARE),
        seed=_or_null(WHOLE),
        stop={"anyOf": [TEXT, _list(TEXT), {"type": "null"}]},
        stream=_or_null(FLAG),
        logprobs=_or_null(FLAG),
        top_logprobs={**_or_null(WHOLE), "minimum": 0, "maximum": 20},
        response_format={"type": ["object", "null"], "description": "text, json_object, or json_schema."},
    )
    used = _object(["prompt_tokens"], prompt_tokens=WHOLE, completion_tokens=WHOLE, total_tokens=WHOLE)
    said = _object(["role", "content"], role=TEXT, content=TEXT, refusal=_or_null(TEXT))
    choice = _object(
        ["index", "message"], index=WHOLE, message=said, finish_reason=TEXT, logprobs={"type": ["object", "null"]}
    )
    answer = _object(
        ["id", "object", "created", "model", "choices", "usage"],
        id=TEXT,
        object={"const": "chat.completion"},
        created=WHOLE,
        model=TEXT,
        choices=_list(choice),
        usage=used,
    )
    example = {"messages": [{"role": "user", "content": "hello"}], "max_tokens": 20}
    content = {"application/json": {"schema": answer}, "text/event-stream": {"schema": TEXT}}
    return {
        "summary": "What a run that writes answers to a chat, as OpenAI's clients expect it.",
        "requestBody": {"required": True, "content": {"application/json": {"schema": body, "example": example}}},
        "responses": {"200": {"description": "Whole, or piece by piece.", "content": content}} | _refusals(*REFUSALS),
    }


def _refusals(*statuses: int) -> dict[str, Any]:
    content = {"application/json": {"schema": _ref("Error")}}
    return {str(status): {"description": REFUSALS[status], "content": content} for status in statuses}


def model(line: Line) -> dict[str, Any]:
    """A run as /v1/models lists it."""
    about = line.about
    names = {kind: list(found) for kind, found in about["names"].items()}
    return {
        "id": line.name,
        "object": "model",
        "created": about["created"],
        "owned_by": "slmfit",
        "task": about["task"],
        "method": about["method"],
        "base_model": about["base_model"],
        "max_model_len": about["max_length"],
        **names,
        **({"texts": about["texts"]} if about["texts"] else {}),
    }


def page(limits: Limits, lines: Sequence[Line]) -> str:
    """The document as one page without a script, which needs nothing from anywhere."""
    from jinja2 import Environment, PackageLoader

    environment = Environment(loader=PackageLoader("slmfit", "serving"), autoescape=True, trim_blocks=True)
    environment.filters["json"] = lambda value: json.dumps(value, indent=1, ensure_ascii=False)
    models = [model(line) for line in lines]
    return environment.get_template("page.html").render(document=document(limits), models=models)
