const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const EMPTY = -1;
const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** An immutable set of strings, asked with UTF-8 bytes in place: no string is made to look one up. */
export class BytesSet {
  readonly #entries: readonly Uint8Array[];
  /** Open addressing over indexes of entries; never more than half full. */
  readonly #slots: Int32Array;
  readonly #hashes: Uint32Array;

  constructor(values: Iterable<string>) {
    this.#entries = [...new Set(values)].map((value) => encoder.encode(value));
    this.#slots = new Int32Array(slotCount(this.#entries.length)).fill(EMPTY);
    this.#hashes = Uint32Array.from(this.#entries, (entry) => hash(entry, 0, entry.length));
    for (let index = 0; index < this.#entries.length; index++) this.#insert(index);
  }

  get size(): number {
    return this.#entries.length;
  }

  /** In the order they were given, each once. */
  values(): string[] {
    return this.#entries.map((entry) => decoder.decode(entry));
  }

  entry(index: number): Uint8Array {
    return this.#entries[index]!;
  }

  has(bytes: Uint8Array, start: number, end: number): boolean {
    const hashed = hash(bytes, start, end);
    const mask = this.#slots.length - 1;
    for (let slot = hashed & mask; ; slot = (slot + 1) & mask) {
      const index = this.#slots[slot]!;
      if (index === EMPTY) return false;
      if (this.#hashes[index] === hashed && sameBytes(this.#entries[index]!, bytes, start, end)) return true;
    }
  }

  #insert(index: number): void {
    const mask = this.#slots.length - 1;
    let slot = this.#hashes[index]! & mask;
    while (this.#slots[slot] !== EMPTY) slot = (slot + 1) & mask;
    this.#slots[slot] = index;
  }
}

export function sameBytes(entry: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start !== entry.length) return false;
  for (let index = 0; index < entry.length; index++) {
    if (entry[index] !== bytes[start + index]) return false;
  }
  return true;
}

/** A power of two, at least twice `count`. */
export function slotCount(count: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(2 * count, 4)));
}

/** FNV-1a with a final mix, because only the low bits choose a slot. */
function hash(bytes: Uint8Array, start: number, end: number): number {
  let hashed = FNV_OFFSET;
  for (let index = start; index < end; index++) hashed = Math.imul(hashed ^ bytes[index]!, FNV_PRIME);
  return (hashed ^ (hashed >>> 15)) >>> 0;
}
