"""Chats by OpenAI's own client, as the tests of `slmfit serve` have them."""

from contextlib import contextmanager

SCHEMA = {
    "type": "object",
    "properties": {"label": {"type": "string", "enum": ["sports", "world"]}, "sure": {"type": "boolean"}},
    "required": ["label", "sure"],
    "additionalProperties": False,
}


@contextmanager
def creating(url, **usual):
    """What asks for a chat, with these fields where no others are given."""
    import openai

    with openai.OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0, timeout=600) as client:
        yield lambda **given: client.chat.completions.create(**usual | given)
