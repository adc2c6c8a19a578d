"""Text recipes: headers, footers and quotes of a Usenet post or e-mail, and what a web page leaves in a text.

    clean("From: a@b.c\\nSubject: x\\n\\nAT amp;T #39;s &lt;b&gt;offer&lt;/b&gt;", ("headers", "html"))
    # "AT&T's  offer "

`headers`, `footers` and `quotes` do what scikit-learn's `fetch_20newsgroups(remove=…)` does, in the same order, so
that scores can be compared. One thing differs, to keep a text that is no post: headers are dropped only where there
are some, and a text whose lines all end in \\r\\n is read as if they ended in \\n.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence

_HEADER = re.compile(
    r"^(From|Subject|Date|To|Path|Newsgroups|Message-ID|Organization|Lines|Received|Sender|Reply-To):",
    re.MULTILINE | re.IGNORECASE,
)
_QUOTE = re.compile(r"(writes in|writes:|wrote:|says:|said:|^In article|^Quoted from|^\||^>)")

# AG News and its like have a space for the ampersand of their entities: "China #39;s", "AT amp;T".
BARE_ENTITY = re.compile(
    r"(?: |(?<![&\w]))(#\d{2,4}|quot|amp|lt|gt|nbsp|apos|hellip|mdash|ndash|copy|reg|trade|euro"
    r"|[lr]squo|[lr]dquo);"
)
# The elements of HTML, old ones too, and no other words: `List<int>`, `<name>` and `a <b and c> d` are text.
_ELEMENTS = (
    "a|abbr|acronym|address|applet|area|article|aside|audio|b|base|basefont|bdi|bdo|big|blink|blockquote|body|br|button"
    "|canvas|caption|center|cite|code|col|colgroup|data|datalist|dd|del|details|dfn|dialog|dir|div|dl|dt|em|embed"
    "|fieldset|figcaption|figure|font|footer|form|frame|frameset|h[1-6]|head|header|hgroup|hr|html|i|iframe|img|input"
    "|ins|kbd|label|legend|li|link|main|map|mark|marquee|menu|meta|meter|nav|nobr|noframes|noscript|o:p|object|ol"
    "|optgroup|option|output|p|param|picture|pre|progress|q|rp|rt|ruby|s|samp|script|section|select|slot|small|source"
    "|span|strike|strong|style|sub|summary|sup|svg|table|tbody|td|template|textarea|tfoot|th|thead|time|title|tr|track"
    "|tt|u|ul|var|video|wbr"
)
_ALONE = (  # attributes without a value
    "allowfullscreen|async|autofocus|autoplay|checked|compact|controls|default|defer|disabled|hidden|ismap|loop"
    "|multiple|muted|nomodule|noresize|noshade|novalidate|nowrap|open|readonly|required|reversed|selected"
)
_S = r"[ \t\r\n\f]"
_ATTRIBUTE = rf"{_S}+[a-z_:][a-z0-9_:.-]*{_S}*="
_REST = rf"(?:{_S}+(?:{_ALONE})(?={_S}|[/>]))*(?:{_ATTRIBUTE}[^<>]*|{_S}*/?)>"
TAG = re.compile(
    # What a page does not show, up to its end. Every part stops where the next could begin: no text takes long.
    rf"<(?P<code>script|style){_REST}[^<]*(?:<(?!/?(?:script|style)(?:{_S}|[/>]))[^<]*)*</(?P=code){_S}*>"
    rf"|<!--[^<]*?(?:<(?!!--)[^<]*?)*?-->|<!doctype{_S}[^<>]*>"
    rf"|</(?:{_ELEMENTS}){_S}*>|<(?:{_ELEMENTS}){_REST}",
    re.IGNORECASE,
)


def clean(text: str, strip: Sequence[str]) -> str:
    """`text` without what `strip` names: some of `headers`, `footers`, `quotes` and `html`."""
    if "\r\n" in text and text.count("\n") == text.count("\r\n"):
        text = text.replace("\r\n", "\n")
    for name, step in _STEPS.items():
        if name in strip:
            text = step(text)
    return text


def without_headers(text: str) -> str:
    """What follows the first blank line, if what stands before it has a header such as `Subject:`."""
    before, _, after = text.partition("\n\n")
    return after if _HEADER.search(before) else text


def without_footer(text: str) -> str:
    """The text up to its last blank line or line of hyphens, after which a signature is assumed to stand."""
    lines = text.strip().split("\n")
    last = next((n for n in range(len(lines) - 1, -1, -1) if not lines[n].strip().strip("-")), 0)
    return "\n".join(lines[:last]) if last else text


def without_quotes(text: str) -> str:
    """The text without quoted lines (`>`, `|`) and the lines that introduce them (`… wrote:`)."""
    return "\n".join(line for line in text.split("\n") if not _QUOTE.search(line))


def without_html(text: str) -> str:
    """The text with entities as the characters they stand for, also where the ampersand was lost, and without tags,
    comments, scripts and styles; a `<…>` that is no element of HTML stays.

    Beside tags that are written out, escaped ones are what a page shows, and stay: `<code>&lt;div&gt;</code>`. Where
    there are escaped ones alone, all of the page was escaped once, and they go.
    """
    bare = TAG.sub(" ", text) if "<" in text else text
    if ";" not in text:
        return bare
    whole = html.unescape(BARE_ENTITY.sub(r"&\1;", bare))
    return TAG.sub(" ", whole) if bare == text and "<" in whole else whole


_STEPS = {"headers": without_headers, "footers": without_footer, "quotes": without_quotes, "html": without_html}
