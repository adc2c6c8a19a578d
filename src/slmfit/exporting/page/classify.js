// methods/linear and methods/knn: from a text to an answer, its probabilities and what spoke for it.

function classifier(model) {
  const clean = cleaner(model.recipe);
  const answer = { linear, knn }[model.method](model);
  // texts: one, or the two that are one input
  return (...texts) => answer(texts.map(clean).filter((text, i, all) => text || all.length === 1).join("\n"));
}

function linear({ labels, counted, vectors, weights, intercepts, curve }) {
  const weigh = counted ? weigher(counted) : () => ({ occurrences: [], counts: new Map(), values: new Map() });
  const embed = vectors ? embedder(vectors) : null;
  const size = weights.length / labels.length;
  const weight = (column, label) => weights[column * labels.length + label];

  return (text) => {
    const { occurrences, counts, values } = weigh(text);
    if (embed) {
      const vector = embed(text);
      vector.forEach((value, i) => values.set(size - vector.length + i, rounded(value * 2 ** 20) / 2 ** 20));
    }
    const margins = labels.map((_, label) => {
      let sum = 0;
      for (const [column, value] of values) sum += value * weight(column, label);
      return sum + intercepts[label];
    });
    const logs = margins.map((margin) => -softplus(-(curve.slope * margin + curve.offset)));
    const top = Math.max(...logs);
    const probabilities = shares(logs.map((log) => Math.exp(log - top)));
    const first = probabilities.indexOf(Math.max(...probabilities));
    const words = new Map();
    for (const [term, column] of occurrences)
      words.set(term, (words.get(term) ?? 0) + (values.get(column) / counts.get(column)) * weight(column, first));
    return { label: first, probabilities, words: counted ? words : null };
  };
}

const softplus = (x) => (x > 0 ? x + Math.log1p(Math.exp(-x)) : Math.log1p(Math.exp(x)));

function shares(numbers) {
  const sum = numbers.reduce((whole, number) => whole + number, 0);
  return numbers.map((number) => number / sum);
}

function knn({ labels, vectors, rows, codes, k, temperature, doubt, sharpness }) {
  const embed = embedder(vectors);
  const search = nearest({ rows, dimension: vectors.dimension, k });
  const usual = shares(labels.map((_, label) => codes.reduce((count, code) => count + (code === label), 1)));

  return (text) => {
    const votes = labels.map(() => 0);
    const closeness = labels.map(() => 0);
    for (const [row, cosine] of search(embed(text))) {
      if (cosine <= 0) continue;
      votes[codes[row]] += temperature === null ? 1 : Math.exp((cosine - 1) / temperature);
      closeness[codes[row]] += cosine;
    }
    const most = Math.max(...votes);
    if (!(most > 0)) return { label: usual.indexOf(Math.max(...usual)), probabilities: usual, words: null };
    const close = closeness.map((value, label) => (votes[label] === most ? value : -Infinity));
    const weighed = votes.map((vote) => vote + doubt / labels.length);
    const top = Math.max(...weighed);
    const probabilities = shares(weighed.map((vote) => (vote / top) ** sharpness));
    return { label: close.indexOf(Math.max(...close)), probabilities, words: null };
  };
}
