// A second process on a metadata file: announces itself, then increments `counter` as often as it is told.
import { createNodeHost } from '../../src/host/node/index.ts';
import { createSqliteMetastore } from '../../src/metastore/sqlite/sqlite-metastore.ts';

const [path, rounds] = process.argv.slice(2);
await using store = await createSqliteMetastore({ host: createNodeHost(), path: path! });
await store.transact({ compares: [], then: [{ kind: 'put', key: 'child/state', value: 'started' }] });
for (let round = 0; round < Number(rounds);) {
  const counter = (await store.get('counter'))!;
  const result = await store.transact({
    compares: [{ kind: 'mod-revision', key: 'counter', revision: counter.modRevision }],
    then: [{ kind: 'put', key: 'counter', value: String(Number(counter.value) + 1) }],
  });
  if (result.succeeded) round++;
}
