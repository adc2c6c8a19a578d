// embeddings/static.py and embeddings/neighbours.py, step by step in the same 32 bits.

const f32 = Math.fround;

// a list of numbers' squares, added in numpy's order
function lengthOf(numbers) {
  const pairwise = (begin, count) => {
    if (count > 128) {
      const half = (count >> 1) - ((count >> 1) % 8);
      return f32(pairwise(begin, half) + pairwise(begin + half, count - half));
    }
    const square = (i) => f32(numbers[begin + i] * numbers[begin + i]);
    if (count < 8) {
      let sum = 0;
      for (let i = 0; i < count; i += 1) sum = f32(sum + square(i));
      return sum;
    }
    const sums = Array.from({ length: 8 }, (_, lane) => square(lane));
    const whole = count - (count % 8);
    for (let i = 8; i < whole; i += 1) sums[i % 8] = f32(sums[i % 8] + square(i));
    const [a, b, c, d] = [0, 2, 4, 6].map((lane) => f32(sums[lane] + sums[lane + 1]));
    let sum = f32(f32(a + b) + f32(c + d));
    for (let i = whole; i < count; i += 1) sum = f32(sum + square(i));
    return sum;
  };
  return f32(Math.sqrt(pairwise(0, numbers.length)));
}

// text -> a vector of length 1, or of zeros where nothing of the text is known
function embedder(about) {
  const tokensOf = tokenizer(about);
  const { table, dimension, mapping, weights, unknown } = about;
  return (text) => {
    const tokens = tokensOf(text).filter((id) => id !== unknown);
    const sums = new Float32Array(dimension);
    for (const id of tokens) {
      const begin = (mapping ? mapping[id] : id) * dimension;
      const weight = weights ? weights[id] : 1;
      for (let i = 0; i < dimension; i += 1) sums[i] = f32(sums[i] + f32(weight * table[begin + i]));
    }
    const mean = sums.map((sum) => f32(sum / Math.max(tokens.length, 1)));
    const length = lengthOf(mean);
    return length > 0 ? mean.map((value) => f32(value / length)) : new Float32Array(dimension);
  };
}

// WordPiece behind BERT's cleaning, by the tables that the tokenizer itself gave
function tokenizer({ vocabulary, added, normal, apart, prefix, unknownWord, longest, most, mostCharacters }) {
  const number = new Map(vocabulary.map((token, i) => [token, i]));
  const clean = normaliser(normal);
  const kindOf = byPoint(apart);
  const literal = (token) => token.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
  const tokens = Object.keys(added).sort((a, b) => b.length - a.length);
  const asWritten = tokens.length ? new RegExp(`(${tokens.map(literal).join("|")})`, "u") : null;

  function words(text) {
    const found = [];
    let word = "";
    const ends = (...more) => {
      if (word) found.push(word);
      found.push(...more);
      word = "";
    };
    for (const letter of text) {
      const kind = kindOf[letter.codePointAt(0)];
      if (kind === APART.letter) word += letter;
      else ends(...(kind === APART.alone ? [letter] : []));
    }
    ends();
    return found;
  }

  function pieces(word) {
    const letters = [...word];
    const found = [];
    let begin = 0;
    while (letters.length <= longest && begin < letters.length) {
      let end = letters.length;
      const piece = () => (begin ? prefix : "") + letters.slice(begin, end).join("");
      while (end > begin && !number.has(piece())) end -= 1;
      if (end === begin) break;
      found.push(number.get(piece()));
      begin = end;
    }
    return begin === letters.length ? found : [number.get(unknownWord)];
  }

  return (text) => {
    let given = text.replace(/\p{Surrogate}/gu, "?");
    if (mostCharacters !== null) given = [...given].slice(0, mostCharacters).join("");
    const parts = asWritten ? given.split(asWritten) : [given];
    const ids = parts.flatMap((part, i) => (i % 2 ? [added[part]] : words(clean(part)).flatMap(pieces)));
    return most === null ? ids : ids.slice(0, most);
  };
}

const APART = { letter: 0, space: 1, alone: 2 };
const NORMAL = { same: 0, dropped: 1, space: 2, spaced: 3, decomposed: 4, other: 5 };

function normaliser({ from, to, ...runs }) {
  const kindOf = byPoint(runs);
  const others = new Map([...from].map((letter, i) => [letter, to[i]]));
  const become = {
    [NORMAL.same]: (letter) => letter,
    [NORMAL.dropped]: () => "",
    [NORMAL.space]: () => " ",
    [NORMAL.spaced]: (letter) => ` ${letter} `,
    [NORMAL.decomposed]: (letter) => letter.normalize("NFD"),
    [NORMAL.other]: (letter) => others.get(letter),
  };
  return (text) => {
    let found = "";
    for (const letter of text) found += become[kindOf[letter.codePointAt(0)]](letter);
    return found;
  };
}

// a vector in whole numbers, as the rows are kept
function inWholeNumbers(vector) {
  const largest = vector.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const factor = largest > 0 ? Math.min(f32(127 / largest), f32(4000 / lengthOf(vector))) : 0;
  return Int8Array.from(vector, (value) => rounded(f32(value * factor)));
}

// vector -> the k nearest rows, best first: [row, cosine]
function nearest({ rows, dimension, k }) {
  const count = rows.length / dimension;
  const inverse = Float32Array.from({ length: count }, (_, row) => inverseLength(rows.subarray(row * dimension, (row + 1) * dimension)));
  return (vector) => {
    const query = inWholeNumbers(vector);
    const best = [];
    for (let row = 0, at = 0; row < count; row += 1) {
      let product = 0;
      for (let i = 0; i < dimension; i += 1, at += 1) product += query[i] * rows[at];
      const similarity = f32(product * inverse[row]);
      if (best.length === k && similarity <= best[k - 1][1]) continue;
      let place = best.length;
      while (place && best[place - 1][1] < similarity) place -= 1;
      best.splice(place, 0, [row, similarity]);
      if (best.length > k) best.pop();
    }
    const own = inverseLength(query);
    return best.map(([row, similarity]) => [row, f32(similarity * own)]);
  };
}

// of whole numbers: their squares add up exactly in any order
function inverseLength(numbers) {
  const squares = numbers.reduce((sum, number) => sum + number * number, 0);
  return squares ? f32(1 / f32(Math.sqrt(squares))) : 0;
}
