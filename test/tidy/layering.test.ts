import assert from 'node:assert/strict';
import { test } from 'node:test';
import { importsOf, sourceFiles, type Import } from './source-files.ts';

/** Rooms of `src/`, bottom up. A room imports rooms of lower floors, and itself; on one floor only what `SIDEWAYS` allows. */
const FLOORS: readonly (readonly string[])[] = [
  ['errors'],
  ['util'],
  ['host', 'schema', 'geometry'],
  ['columns'],
  ['config', 'telemetry', 'filter', 'kernel'],
  ['object-store', 'metastore', 'log', 'wire', 'routing', 'discovery'],
  ['catalog', 'segment', 'protocol'],
  ['proxy', 'reader', 'writer'],
  ['server'],
  ['cli'],
];

const SIDEWAYS: readonly (readonly [from: string, to: string])[] = [
  ['discovery', 'metastore'],
  ['segment', 'catalog'],
  ['protocol', 'catalog'],
  ['protocol', 'segment'],
];

/** Packages that only their rooms may import. */
const PACKAGE_ROOMS: Readonly<Record<string, readonly string[]>> = {
  'node:sqlite': ['src/metastore/sqlite/'],
  'node:net': ['src/wire/socket/', 'src/server/'],
  'node:http': ['src/server/', 'src/cli/'],
  'node:child_process': ['src/cli/'],
  'apache-arrow': ['src/segment/', 'src/columns/'],
  jsts: ['src/geometry/'],
  '@grpc/grpc-js': ['src/proxy/milvus/', 'src/proxy/translate/'],
  protobufjs: ['src/proxy/translate/', 'src/proxy/milvus/'],
  pino: ['src/telemetry/'],
  'prom-client': ['src/telemetry/'],
  '@opentelemetry/api': ['src/telemetry/'],
  yaml: ['src/config/'],
  commander: ['src/cli/'],
};

const imports = sourceFiles('src').flatMap(importsOf);
const room = (path: string): string => path.split('/')[1]!;
const floorOf = (name: string): number => FLOORS.findIndex((floor) => floor.includes(name));
const where = ({ file, line, specifier }: Import): string => `${file.path}:${line} imports ${specifier}`;

test('every room has a floor', () => {
  const rooms = new Set(sourceFiles('src').map((file) => room(file.path)));
  assert.deepEqual(
    [...rooms].filter((name) => floorOf(name) === -1),
    [],
  );
});

test('imports point down', () => {
  const upward = imports.filter(({ file, target }) => {
    if (target === null || !target.startsWith('src/')) return false;
    const [from, to] = [room(file.path), room(target)];
    if (from === to) return false;
    if (SIDEWAYS.some(([a, b]) => a === from && b === to)) return false;
    // Tests of a driver may use the drivers of any contract.
    if (file.isTest && floorOf(to) <= floorOf('protocol')) return false;
    return floorOf(to) >= floorOf(from);
  });
  assert.deepEqual(upward.map(where), []);
});

test('nothing under src imports tests, scripts or benches, but tests import their support', () => {
  const wrong = imports.filter(({ file, target }) => {
    if (target === null || target.startsWith('src/') || target.startsWith('native/')) return false;
    return !(file.isTest && (target.startsWith('test/') || target.startsWith('examples/')));
  });
  assert.deepEqual(wrong.map(where), []);
});

test('a package is imported only in the rooms that own it', () => {
  const wrong = imports.filter(({ file, specifier }) => {
    const rooms = PACKAGE_ROOMS[specifier];
    return rooms !== undefined && !file.isTest && !rooms.some((owner) => file.path.startsWith(owner));
  });
  assert.deepEqual(wrong.map(where), []);
});

test('driver folders are imported by the composition root alone', () => {
  const contracts = ['object-store', 'metastore', 'log', 'wire', 'discovery'];
  const wrong = imports.filter(({ file, target }) => {
    if (target === null || file.isTest) return false;
    const [, targetRoom, driver, deeper] = target.split('/');
    const isDriver = contracts.includes(targetRoom ?? '') && driver !== undefined && deeper !== undefined;
    return isDriver && room(file.path) !== targetRoom && !file.path.startsWith('src/server/');
  });
  assert.deepEqual(wrong.map(where), []);
});

test('generated protocol types stop at the translation', () => {
  const wrong = imports.filter(
    ({ file, target }) =>
      target?.includes('/generated/') === true && !/^src\/proxy\/(translate|milvus)\//.test(file.path),
  );
  assert.deepEqual(wrong.map(where), []);
});
