// text/tfidf.py: texts as weighted counts of words, pairs of words and the characters inside words.

const MOST_COUNTED = 1000;
const GRID = 2 ** 16;
const LENGTHS = [2, 4];

function counter({ cut, blocks, words, pairs, alphabet, grams }) {
  const wordsOf = cutter(cut);
  const number = new Map(words.map((word, i) => [word, i]));
  const letter = new Map([...alphabet].map((one, i) => [one, i + 2]));
  const key = keyed(letter.size + 2);
  const pairBegin = words.length;
  const gramBegin = pairBegin + (blocks.includes("pairs") ? pairs.length : 0);
  const ofWord = new Map();

  // the columns of the known runs of characters in a word, a mark before and behind it
  function gramsOf(word) {
    const codes = [1, ...[...word].map((one) => letter.get(one) ?? 0), 1];
    const found = [];
    for (const length of LENGTHS)
      for (let i = 0; i + length <= codes.length; i += 1) {
        const run = codes.slice(i, i + length);
        const place = run.every(Boolean) ? find(grams, key(run, grams)) : -1;
        if (place >= 0) found.push(gramBegin + place);
      }
    return found;
  }

  function remembered(word) {
    if (ofWord.size > 100000) ofWord.clear();
    if (!ofWord.has(word)) ofWord.set(word, gramsOf(word));
    return ofWord.get(word);
  }

  // every occurrence of a known term: [the word or pair it is in, its column]
  return (text) => {
    const cutUp = wordsOf(text);
    const ids = cutUp.map((word) => number.get(word) ?? -1);
    const found = cutUp.map((word, i) => [word, ids[i]]).filter(([, id]) => id >= 0);
    if (blocks.includes("pairs"))
      for (let i = 1; i < ids.length; i += 1) {
        if (ids[i - 1] < 0 || ids[i] < 0) continue;
        const place = find(pairs, ids[i - 1] * words.length + ids[i]);
        if (place >= 0) found.push([`${cutUp[i - 1]} ${cutUp[i]}`, pairBegin + place]);
      }
    if (blocks.includes("characters"))
      for (const word of cutUp) for (const column of remembered(word)) found.push([word, column]);
    return found;
  };
}

// a run of numbers below `size` as one: exact, or where that may be too large a hash, as in text/ngrams.py
function keyed(size) {
  const wide = BigInt(size);
  const largest = (length) => wide ** BigInt(length);
  return (run, among) => {
    if (largest(run.length) >= 2n ** 63n) return hashed(run);
    if (among instanceof Float64Array) return run.reduce((sum, one) => sum * size + one);
    return run.map(BigInt).reduce((sum, one) => sum * wide + one);
  };
}

// SplitMix64
function hashed(run) {
  const mixed = run.map(BigInt).reduce((sum, one) => {
    let value = BigInt.asUintN(64, sum + one + 0x9e3779b97f4a7c15n);
    value = BigInt.asUintN(64, (value ^ (value >> 30n)) * 0xbf58476d1ce4e5b9n);
    value = BigInt.asUintN(64, (value ^ (value >> 27n)) * 0x94d049bb133111ebn);
    return value ^ (value >> 31n);
  }, 0n);
  return mixed >> 1n;
}

// text -> its occurrences of terms and Map column -> value
function weigher(about) {
  const occurrencesOf = counter(about);
  const sizes = about.blocks.map((block) => about.idf[block].places.length);
  const begins = sizes.map((_, i) => sizes.slice(0, i).reduce((sum, size) => sum + size, 0));
  const blockOf = (column) => begins.findLastIndex((begin) => column >= begin);

  return (text) => {
    const occurrences = occurrencesOf(text);
    const counts = new Map();
    for (const [, column] of occurrences) counts.set(column, (counts.get(column) ?? 0) + 1);
    const columns = [...counts.keys()].sort((a, b) => a - b);
    const values = new Map();
    const squares = about.blocks.map(() => 0);
    for (const column of columns) {
      const block = blockOf(column);
      const { places, values: idf } = about.idf[about.blocks[block]];
      const value = (1 + Math.log(Math.min(counts.get(column), MOST_COUNTED))) * idf[places[column - begins[block]]];
      values.set(column, value);
      squares[block] += value * value;
    }
    const factors = about.blocks.map((block, i) => about.shares[block] / Math.sqrt(squares[i]));
    for (const column of columns) values.set(column, rounded(values.get(column) * factors[blockOf(column)] * GRID) / GRID);
    return { occurrences, counts, values };
  };
}
