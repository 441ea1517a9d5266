// Discovery through a directory that all machines share, such as an NFS mount. Every process writes a file of its own with a
// counter that it raises at each beat; one whose counter stands still has died. Clocks of different machines are not compared.
//
//   discovery:
//     type: ./plugins/discovery/index.js     # or npm:mishards-discovery-directory
//     options: { directory: /mnt/shared/nodes, beatMs: 1000 }
//
// A module of yours exports `createDiscovery(context)`. Take time, files and randomness from `context.host`, report to
// `context.onProblem` what an operator should know, and keep the last list while the source is away.

const MISSED_BEATS_MAX = 3;

export async function createDiscovery(context) {
  const { directory, beatMs = 1000 } = context.options;
  if (typeof directory !== 'string') throw new Error('the option directory is missing');
  const discovery = new DirectoryDiscovery(context, directory, beatMs);
  await discovery.read();
  return discovery;
}

class DirectoryDiscovery {
  driver = 'directory';
  #context;
  #directory;
  #beatMs;
  #nodes = [];
  #listeners = new Set();
  #beats = new Map();
  #timer;
  #reading = Promise.resolve();

  constructor(context, directory, beatMs) {
    this.#context = context;
    this.#directory = directory;
    this.#beatMs = beatMs;
    this.#timer = context.host.timers.every(beatMs, () => {
      this.#reading = this.#reading.then(() => this.#tick());
    });
  }

  async register(node) {
    const path = `${this.#directory}/${encodeURIComponent(node.id)}.json`;
    const { files, timers } = this.#context.host;
    let count = 0;
    const write = async () => {
      const text = JSON.stringify({ node, beat: `${node.startedMs}/${count++}` });
      await files.writeAtomic(path, Buffer.from(text));
    };
    await write();
    let writing = Promise.resolve();
    const timer = timers.every(this.#beatMs, () => {
      writing = writing.then(write).catch((error) => this.#context.onProblem(error));
    });
    await this.read();
    return {
      [Symbol.asyncDispose]: async () => {
        timer[Symbol.dispose]();
        await writing;
        await files.remove(path);
        await this.read();
      },
    };
  }

  nodes() {
    return this.#nodes;
  }

  subscribe(listener) {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => this.#listeners.delete(listener) };
  }

  async [Symbol.asyncDispose]() {
    this.#timer[Symbol.dispose]();
    await this.#reading;
  }

  async #tick() {
    try {
      await this.read();
    } catch (error) {
      this.#context.onProblem(error);
    }
  }

  async read() {
    const { files } = this.#context.host;
    const names = (await files.list(this.#directory)).filter((name) => /^[^.].*\.json$/.test(name));
    const texts = await Promise.all(names.map((name) => this.#readFile(`${this.#directory}/${name}`)));
    const entries = texts.filter((text) => text !== null).map((text) => JSON.parse(text));
    this.#publish(entries.filter((entry) => this.#isAlive(entry)).map((entry) => entry.node));
  }

  /** A file may go between the listing and the reading. */
  async #readFile(path) {
    try {
      return Buffer.from(await this.#context.host.files.read(path)).toString();
    } catch (error) {
      if (error.code === 'ENOENT') return null;
      throw error;
    }
  }

  /** Missed beats are counted in readings that succeeded: while the directory is away nobody dies. */
  #isAlive({ node, beat }) {
    const last = this.#beats.get(node.id);
    const missed = last?.beat === beat ? last.missed + 1 : 0;
    this.#beats.set(node.id, { beat, missed });
    return missed <= MISSED_BEATS_MAX;
  }

  #publish(nodes) {
    const sorted = nodes.sort((one, other) => (one.id < other.id ? -1 : 1));
    if (JSON.stringify(sorted) === JSON.stringify(this.#nodes)) return;
    this.#nodes = sorted;
    for (const listener of [...this.#listeners]) listener(sorted);
  }
}
