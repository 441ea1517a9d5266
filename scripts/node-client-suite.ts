/**
 * How many of a spec's tests pass: as the suite is; with Geometry and Timestamptz left out of the default collection of its
 * tests; and with HNSW in place of IVF_FLAT too (null where that changes nothing).
 */
interface SpecResult {
  readonly spec: string;
  readonly total: number;
  readonly asIs: number;
  readonly reduced: number;
  readonly reducedHnsw: number | null;
  /** What the rest asks for. */
  readonly rest: string;
}

const IVF = 'IVF_FLAT';

const RESULTS: readonly SpecResult[] = [
  result('Alias', 8, [0, 8, null], ''),
  result('Basic', 24, [9, 9, 16], `${IVF}; then adding fields`),
  result('BatchDescribeCollection', 3, [0, 3, null], ''),
  result('ClusteringKey', 2, [0, 0, null], 'clustering keys'),
  result('Collection', 43, [20, 36, 40], `${IVF}; time to live by a field, compaction on demand`),
  result('Compaction', 7, [0, 2, null], 'compaction on demand'),
  result('Data', 39, [0, 35, null], 'grouping, ordering (2), an index on JSON'),
  result('Database', 11, [7, 8, null], 'quotas, the property timezone of every collection (2)'),
  result('DynamicSchema', 5, [0, 2, 5], IVF),
  result('FlushAll', 4, [0, 4, null], ''),
  result('HighLevel', 6, [5, 5, null], 'indexes on scalars'),
  result(
    'Index',
    29,
    [0, 7, null],
    `${IVF}, IVF_SQ8, IVF_PQ, DISKANN, SCANN and indexes on scalars, which its other tests then describe`,
  ),
  result('Insert', 17, [0, 0, 0], 'its set-up needs a binary vector'),
  result('Iterator', 16, [0, 0, 16], IVF),
  result('MilvusClient', 23, [23, 23, null], ''),
  result('PartialLoad', 9, [4, 4, 9], IVF),
  result('Partition', 16, [0, 14, 16], IVF),
  result('PartitionKey', 10, [0, 0, 10], IVF),
  result('Replica', 3, [0, 0, 3], IVF),
  result('Segment', 8, [0, 7, null], 'moving segments by hand (LoadBalance)'),
  result('TruncateCollection', 4, [0, 0, 4], IVF),
  result('Upsert', 15, [0, 0, 0], 'its set-up needs a binary vector'),
];

function result(
  spec: string,
  total: number,
  [asIs, reduced, reducedHnsw]: readonly [number, number, number | null],
  rest: string,
): SpecResult {
  return { spec, total, asIs, reduced, reducedHnsw, rest };
}

/** A section of the compatibility page. The figures were measured, not computed: whoever changes what is offered measures anew. */
export function nodeClientSuite(): readonly string[] {
  const of = (passed: number, total: number): string => (passed === total ? `**${passed}**` : String(passed));
  const rows = RESULTS.map(
    ({ spec, total, asIs, reduced, reducedHnsw, rest }) =>
      `| ${spec} | ${total} | ${of(asIs, total)} | ${of(reduced, total)} | ${of(reducedHnsw ?? reduced, total)} | ${rest} |`,
  );
  const sum = (pick: (one: SpecResult) => number): number =>
    RESULTS.reduce((total, one) => total + pick(one), 0);
  const totals = [
    sum((one) => one.total),
    sum((one) => one.asIs),
    sum((one) => one.reduced),
    sum((one) => one.reducedHnsw ?? one.reduced),
  ];
  return [
    "## The official Node client's suite",
    '',
    'Tests of milvus-io/milvus-sdk-node 3.0.3 (commit cf62b33), `npx jest test/grpc/NAME.spec.ts` with Node 20, spec by spec, against `mishards cluster` with its defaults (2 proxies, 3 readers, 2 writers) on the ports it has by default. Almost every spec creates the default collection of `test/tools/collection.ts`, which has a Geometry and a Timestamptz field; these are not there yet.',
    '',
    '- *as it is*: the suite untouched.',
    '- *reduced*: without these two fields in `test/tools/collection.ts`.',
    `- *and HNSW*: also with HNSW (\`M: 8\`) in place of ${IVF} (\`nlist: 1024\`) in the specs that load such an index: what is left once that index type is there.`,
    '',
    '| spec | tests | as it is | reduced | and HNSW | the rest asks for |',
    '|---|---|---|---|---|---|',
    ...rows,
    `| all of these | ${totals.join(' | ')} | |`,
    '',
    'The other specs are about one thing each that is not there yet: vectors that are not FloatVector, nullable vectors, hybrid search over several vectors, struct arrays, Geometry, Timestamptz, full text and text match, embedding functions, highlighting, users, resource groups, import and the bulk writer, snapshots, external collections, partial updates of arrays.',
  ];
}
