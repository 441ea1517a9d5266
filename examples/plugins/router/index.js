// A router that pins items to chosen nodes and ranks all others by rendezvous hashing.
//
//   routing:
//     type: ./plugins/router/index.js        # or npm:mishards-router-pinned
//     options:
//       pins: { "segment/4551": ["reader-big"] }   # keys that start so prefer these nodes, in this order
//
// A router is a pure function: the same items and nodes must give the same placement in every process, in whatever order
// they come. Every item lists every node once.
import { createHash } from 'node:crypto';

/** @param {{ pins?: Record<string, string[]> }} options */
export function createRouter(options) {
  const pins = Object.entries(options.pins ?? {}).sort(([one], [other]) => (one < other ? -1 : 1));
  return {
    driver: 'pinned',
    place(items, nodes, _copies) {
      return new Map(items.map((item) => [item.key, order(item.key, nodes, pins)]));
    },
  };
}

function order(key, nodes, pins) {
  const pinned = pins.find(([prefix]) => key.startsWith(prefix))?.[1] ?? [];
  const ids = nodes.map((node) => node.id);
  const first = pinned.filter((id) => ids.includes(id));
  const rest = ids
    .filter((id) => !first.includes(id))
    .map((id) => ({ id, score: createHash('sha1').update(`${key}\n${id}`).digest('hex') }))
    .sort((one, other) => (one.score < other.score ? -1 : 1));
  return [...first, ...rest.map(({ id }) => id)];
}
