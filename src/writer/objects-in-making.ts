/** Objects under way to being named by the catalog, as long as it lasts. */
export interface MakingSession extends Disposable {
  /** Before the first of its objects is stored: an object's key, or what its keys begin with, up to a `/`. */
  add(keyOrPrefix: string): void;
}

/**
 * What this term of the writer is making: objects that are stored, or are about to be, and that the catalog does not name yet.
 * Whatever else the catalog does not name is garbage, because no other process can commit anything (W3), and no key is used
 * twice.
 */
export class ObjectsInMaking {
  readonly #making = new Set<string>();

  begin(): MakingSession {
    const added: string[] = [];
    return {
      add: (keyOrPrefix) => {
        added.push(keyOrPrefix);
        this.#making.add(keyOrPrefix);
      },
      [Symbol.dispose]: () => {
        for (const keyOrPrefix of added) this.#making.delete(keyOrPrefix);
      },
    };
  }

  has(key: string): boolean {
    return this.#making.has(key) || this.#making.has(key.slice(0, key.lastIndexOf('/') + 1));
  }
}
