"""Bounded JSON schemas at random: whatever fits one ends."""


def any_schema(rng, deep=2):
    kind = rng.choice(["string", "integer", "boolean", "enum", *["object", "array"] * (deep > 0)])
    if kind == "object":
        names = rng.sample(["a", "b", "ü", "two words", 'q"uote'], rng.randint(1, 3))
        inner = {name: any_schema(rng, deep - 1) for name in names}
        return {"type": "object", "properties": inner, "required": names, "additionalProperties": False}
    if kind == "array":
        return {"type": "array", "items": any_schema(rng, deep - 1), "minItems": 1, "maxItems": 2}
    bounds = {"string": {"maxLength": 5}, "integer": {"minimum": 0, "maximum": 999}}
    if kind == "enum":
        return {"type": "string", "enum": rng.sample(["x", "y", "é", "long one"], 2)}
    return {"type": kind, **bounds.get(kind, {})}
