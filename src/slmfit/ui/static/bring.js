// A file from this computer into the folder, in pieces: it is there whole or not at all.

import { post } from "./dom.js";

const PIECE = 1 << 20; // bytes of a file in one request

// what it is called there; told: how much of it has come, as words
export async function bring(given, told) {
  const key = [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  let name = null;
  for (let at = 0; name === null; at += PIECE) {
    told(`Taking it in: ${Math.round((100 * at) / Math.max(1, given.size))} %`);
    const data = await base64(given.slice(at, at + PIECE));
    const last = at + PIECE >= given.size;
    name = (await post("/api/files", { key, name: given.name, at, data, last })).file;
  }
  return name;
}

function base64(blob) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result.slice(reader.result.indexOf(",") + 1));
    reader.onerror = () => reject(reader.error);
    if (blob.size) reader.readAsDataURL(blob);
    else resolve("");
  });
}

export const KINDS = ".csv,.tsv,.jsonl,.ndjson,.json,.parquet,.conll,.iob,.iob2,.bio,.txt,.gz,.zip";
