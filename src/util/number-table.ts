/**
 * Values by whole numbers, for what comes and goes with every call. A `Map` links each table it outgrows to the next; once one of
 * them is old, all that follow, and what they held, outlive young garbage collections.
 */
export class NumberTable<Value> {
  #values: Record<number, Value> = emptied();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(number: number): Value | undefined {
    return this.#values[number];
  }

  set(number: number, value: Value): void {
    if (!(number in this.#values)) this.#size++;
    this.#values[number] = value;
  }

  /** What was there. */
  take(number: number): Value | undefined {
    const value = this.#values[number];
    if (value === undefined) return undefined;
    delete this.#values[number];
    this.#size--;
    return value;
  }

  /** Ascending by number. */
  values(): Value[] {
    return Object.values(this.#values);
  }

  clear(): void {
    this.#values = emptied();
    this.#size = 0;
  }
}

function emptied<Value>(): Record<number, Value> {
  return Object.create(null) as Record<number, Value>;
}
