// data/clean.py: what is done to a text before the method sees it.

const WHITE = "\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000"; // as Python has it
const EDGES = new RegExp(`^[${WHITE}]+|[${WHITE}]+$`, "gu");
const stripped = (text) => text.replace(EDGES, "");

function cleaner(recipe) {
  const steps = { headers: withoutHeaders, footers: withoutFooter, quotes: withoutQuotes, html: withoutHtml(recipe) };
  const asked = Object.keys(steps).filter((name) => recipe.strip.includes(name));
  return (text) => {
    if (!asked.length) return text;
    const ends = (sign) => text.split(sign).length;
    const given = text.includes("\r\n") && ends("\n") === ends("\r\n") ? text.replaceAll("\r\n", "\n") : text;
    return asked.reduce((found, name) => steps[name](found), given);
  };
}

const HEADER = /(?:^|\n)(From|Subject|Date|To|Path|Newsgroups|Message-ID|Organization|Lines|Received|Sender|Reply-To):/iu;
const QUOTE = /(writes in|writes:|wrote:|says:|said:|^In article|^Quoted from|^\||^>)/u;

function withoutHeaders(text) {
  const blank = text.indexOf("\n\n");
  const before = blank < 0 ? text : text.slice(0, blank);
  return HEADER.test(before) ? (blank < 0 ? "" : text.slice(blank + 2)) : text;
}

function withoutFooter(text) {
  const lines = stripped(text).split("\n");
  const last = lines.findLastIndex((line) => /^-*$/u.test(stripped(line)));
  return last > 0 ? lines.slice(0, last).join("\n") : text;
}

const withoutQuotes = (text) => text.split("\n").filter((line) => !QUOTE.test(line)).join("\n");

function withoutHtml({ html }) {
  if (!html) return (text) => text;
  const bare = new RegExp(html.bare, "gu");
  const tag = new RegExp(html.tag, "giu");
  return (text) => {
    const plain = text.includes("<") ? text.replace(tag, " ") : text;
    if (!text.includes(";")) return plain;
    const whole = unescaped(plain.replace(bare, "&$1;"), html);
    return plain === text && whole.includes("<") ? whole.replace(tag, " ") : whole;
  };
}

// html.unescape
function unescaped(text, { names, replaced, invalid }) {
  const longest = Object.keys(names).reduce((most, name) => Math.max(most, name.length), 0);
  return text.replace(/&(#[0-9]+;?|#[xX][0-9a-fA-F]+;?|[^\t\n\f <&#;]{1,32};?)/gu, (all, said) => {
    if (said[0] === "#") {
      const hex = said[1] === "x" || said[1] === "X";
      const point = parseInt(said.slice(hex ? 2 : 1), hex ? 16 : 10);
      if (point in replaced) return replaced[point];
      if ((point >= 0xd800 && point <= 0xdfff) || !(point <= 0x10ffff)) return "\ufffd";
      return invalid.includes(point) ? "" : String.fromCodePoint(point);
    }
    if (Object.hasOwn(names, said)) return names[said];
    for (let end = Math.min(said.length - 1, longest); end > 1; end -= 1)
      if (Object.hasOwn(names, said.slice(0, end))) return names[said.slice(0, end)] + said.slice(end);
    return all;
  });
}
