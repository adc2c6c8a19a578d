// Texts as methods see them, and the words in them: text/cutting.py, with the patterns and tables of the Python that
// wrote the page, so that no browser's own tables of characters have a say.

function lowering({ upper, lower, longer, behind, before }) {
  const [cased, followed] = [new RegExp(behind, "u"), new RegExp(before, "u")];
  const sigma = (text, place) => (cased.test(text.slice(0, place - 1)) && !followed.test(text.slice(place)) ? "ς" : "σ");
  const from = [...upper];
  const to = [...lower];
  const table = new Map([...from.map((letter, i) => [letter, to[i]]), ...Object.entries(longer)]);
  return (text) => {
    let found = "";
    let place = 0;
    for (const letter of text) {
      place += letter.length;
      found += letter === "Σ" ? sigma(text, place) : (table.get(letter) ?? letter);
    }
    return found;
  };
}

// text -> its words
function cutter({ lower, first, chunk, signs, scripts, unit }) {
  const lowered = lowering(lower);
  const [chunks, ofSigns, ofScripts, units] = [chunk, signs, scripts, unit].map((pattern) => new RegExp(pattern, "gsu"));
  const isLetter = (letter) => new RegExp(scripts, "su").test(letter);
  const known = new Map();

  const unmixed = (letters) =>
    [...letters.matchAll(ofScripts)].flatMap(([, unspaced, others]) => (unspaced ? pairs(unspaced.match(units)) : [others]));
  const pairs = (several) => (several.length > 1 ? several.slice(1).map((one, i) => several[i] + one) : several);

  function parts(found) {
    const letters = [...found];
    if (isLetter(letters[0])) return found.split("-").flatMap(unmixed);
    if (isLetter(letters.at(-1))) {
      const minus = found.lastIndexOf("-");
      return [...(minus ? parts(found.slice(0, minus)) : []), "-", ...parts(found.slice(minus + 1))];
    }
    return [...found.matchAll(ofSigns)].map(({ groups }) => sign(groups)).filter(Boolean);
  }

  function sign({ eyes, mouth, smile, below, word }) {
    if (eyes) return eyes + mouth;
    if (smile) return smile + below;
    return (word ?? "").replace(/(.)\1{2,}/gsu, "$1$1");
  }

  function remembered(found) {
    if (!known.has(found)) known.set(found, parts(found));
    return known.get(found);
  }

  return (text) => {
    if (known.size > 200000) known.clear();
    const found = lowered(text).match(chunks) ?? [];
    return first ? found : found.flatMap(remembered);
  };
}
