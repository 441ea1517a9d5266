/** Version of a row; null = the row is not there. */
export type Version = number | null;

export interface FoundRow {
  readonly id: number;
  readonly version: number;
}

/** What a strong read shows that no order of the acknowledged changes explains; descriptions, at most a few are of use. */
export interface Discrepancies {
  readonly missing: readonly string[];
  readonly twice: readonly string[];
  readonly wrong: readonly string[];
}

/**
 * What a strong read may show, kept by the client that makes all changes of its keys, one after the other. For each key it
 * holds the states it can be in, oldest first: the last certain one, then those of changes that were not acknowledged.
 */
export class ChangeModel {
  readonly #states = new Map<number, readonly Version[]>();
  #acknowledgedCount = 0;
  #ambiguousCount = 0;

  /** Rows changed by acknowledged requests. */
  get acknowledgedCount(): number {
    return this.#acknowledgedCount;
  }

  /** Rows changed by requests without an acknowledgement. */
  get ambiguousCount(): number {
    return this.#ambiguousCount;
  }

  /** Whether an insert of this key gives one row. */
  isAbsent(id: number): boolean {
    const states = this.#states.get(id) ?? [null];
    return states.length === 1 && states[0] === null;
  }

  /** The keys among these whose state is certain, with it; the absent ones left out. */
  certain(ids: readonly number[]): Map<number, number> {
    const rows = new Map<number, number>();
    for (const id of ids) {
      const states = this.#states.get(id) ?? [null];
      if (states.length === 1 && states[0] != null) rows.set(id, states[0]);
    }
    return rows;
  }

  /** The keys among these that an unacknowledged change may or may not have reached. */
  uncertain(ids: readonly number[]): number[] {
    return ids.filter((id) => (this.#states.get(id)?.length ?? 1) > 1);
  }

  acknowledged(ids: readonly number[], version: Version): void {
    for (const id of ids) this.#states.set(id, [version]);
    this.#acknowledgedCount += ids.length;
  }

  /** The request failed or gave no answer: each of its changes may have happened. */
  ambiguous(ids: readonly number[], version: Version): void {
    for (const id of ids) this.#states.set(id, [...(this.#states.get(id) ?? [null]), version]);
    this.#ambiguousCount += ids.length;
  }

  /**
   * Compares a strong read of all `asked` keys, begun after the last change ended. What it showed of an ambiguous change stays:
   * later reads must not go back behind it.
   */
  compare(asked: readonly number[], found: readonly FoundRow[]): Discrepancies {
    const missing: string[] = [];
    const twice: string[] = [];
    const wrong: string[] = [];
    const seen = new Map<number, number>();
    for (const { id, version } of found) {
      if (seen.has(id)) twice.push(`${id}: versions ${seen.get(id)} and ${version}`);
      seen.set(id, version);
    }
    for (const id of asked) {
      const states = this.#states.get(id) ?? [null];
      const version = seen.get(id) ?? null;
      seen.delete(id);
      const index = states.indexOf(version);
      if (index > 0) this.#states.set(id, states.slice(index));
      if (index >= 0) continue;
      const text = `${id}: ${version ?? 'absent'} instead of ${states.map((state) => state ?? 'absent').join(' or ')}`;
      if (version === null) missing.push(text);
      else wrong.push(text);
    }
    for (const [id, version] of seen) wrong.push(`${id}: ${version}, which nobody wrote or asked for`);
    return { missing, twice, wrong };
  }
}
