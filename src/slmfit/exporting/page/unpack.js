"use strict";

// The model's numbers as packing.py wrote them: a head of JSON, and behind it the bytes that it speaks of.

async function unpacked(base64) {
  const letters = atob(base64);
  const bytes = new Uint8Array(letters.length);
  for (let i = 0; i < letters.length; i += 1) bytes[i] = letters.charCodeAt(i);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  const whole = new Uint8Array(await new Response(stream).arrayBuffer());
  const size = new DataView(whole.buffer).getUint32(0, true);
  const head = new TextDecoder().decode(whole.subarray(4, 4 + size));
  return JSON.parse(head, (key, value) => (value?.kind in KINDS ? KINDS[value.kind](section(whole, 4 + size, value), value) : value));
}

const section = (whole, begin, { at, bytes }) => whole.slice(begin + at, begin + at + bytes);

const KINDS = {
  int8: (bytes) => new Int8Array(bytes.buffer),
  float32: (bytes) => new Float32Array(bytes.buffer),
  planes: (bytes, { width }) => joined(bytes, width),
  float16: (bytes) => halves(joined(bytes, 2)),
  rising: (bytes, { wide }) => rising(bytes, wide),
  strings: (bytes, { count }) => strings(bytes, count),
};

// the lowest byte of every number, then the next one of every number
function joined(bytes, width) {
  const count = bytes.length / width;
  const numbers = new Uint32Array(count);
  for (let plane = width - 1; plane >= 0; plane -= 1)
    for (let i = 0; i < count; i += 1) numbers[i] = numbers[i] * 256 + bytes[plane * count + i];
  return numbers;
}

function halves(numbers) {
  const known = Float32Array.from({ length: 0x10000 }, (_, bits) => {
    const [exponent, fraction] = [(bits >> 10) & 31, bits & 1023];
    return (bits & 0x8000 ? -1 : 1) * (exponent ? 2 ** (exponent - 25) * (1024 + fraction) : 2 ** -24 * fraction);
  });
  return Float32Array.from(numbers, (bits) => known[bits]);
}

// the differences of numbers in rising order, seven bits a byte; beyond 2 ** 53 as BigInt
function rising(bytes, wide) {
  const numbers = [];
  const [zero, base] = wide ? [0n, 128n] : [0, 128];
  let [last, step, unit] = [zero, zero, wide ? 1n : 1];
  for (const byte of bytes) {
    step += (wide ? BigInt(byte & 127) : byte & 127) * unit;
    unit *= base;
    if (byte & 128) continue;
    last += step;
    numbers.push(last);
    [step, unit] = [zero, wide ? 1n : 1];
  }
  return wide ? BigInt64Array.from(numbers) : Float64Array.from(numbers);
}

// of each string how many bytes it shares with the one before, then the other bytes of all, a line each
function strings(bytes, count) {
  const rests = bytes.subarray(count);
  const whole = [];
  let [place, last] = [0, 0];
  for (let i = 0; i < count; i += 1) {
    const begin = whole.length;
    for (let shared = 0; shared < bytes[i]; shared += 1) whole.push(whole[last + shared]);
    while (place < rests.length && rests[place] !== 10) whole.push(rests[place++]);
    place += 1;
    whole.push(10);
    last = begin;
  }
  return count ? new TextDecoder().decode(Uint8Array.from(whole)).slice(0, -1).split("\n") : [];
}

// where a number stands among numbers in rising order; -1 where it does not
function find(numbers, number) {
  let [low, high] = [0, numbers.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (numbers[middle] < number) low = middle + 1;
    else high = middle;
  }
  return low < numbers.length && numbers[low] === number ? low : -1;
}

// of each code point what a list of [first code points, kinds] says of it
function byPoint({ starts, kinds }) {
  const table = new Uint8Array(0x110000);
  starts.forEach((start, i) => table.fill(kinds[i], start, starts[i + 1] ?? table.length));
  return table;
}

// as numpy rounds: halves to the even neighbour
function rounded(value) {
  const low = Math.floor(value);
  const rest = value - low;
  return rest < 0.5 || (rest === 0.5 && low % 2 === 0) ? low : low + 1;
}
