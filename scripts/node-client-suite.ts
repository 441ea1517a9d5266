/** How many of a spec's tests pass as the suite is. */
interface SpecResult {
  readonly spec: string;
  readonly total: number;
  readonly passed: number;
  /** What the rest asks for. */
  readonly rest: string;
}

const RESULTS: readonly SpecResult[] = [
  result('Alias', 8, 8, ''),
  result('Basic', 24, 24, ''),
  result('BatchDescribeCollection', 3, 3, ''),
  result('BFloat16Vector', 7, 7, ''),
  result('BinaryVector', 8, 8, ''),
  result('ClusteringKey', 2, 2, ''),
  result('Collection', 43, 43, ''),
  result('Compaction', 7, 7, ''),
  result('Data', 39, 39, ''),
  result('Database', 11, 11, ''),
  result('DynamicSchema', 5, 5, ''),
  result('Float16Vector', 7, 7, ''),
  result('FlushAll', 4, 4, ''),
  result('Geometry', 7, 7, ''),
  result('HighLevel', 6, 6, ''),
  result('Index', 29, 29, ''),
  result('Insert', 17, 17, ''),
  result('Int8Vector', 7, 7, ''),
  result('Iterator', 16, 16, ''),
  result('MilvusClient', 23, 23, ''),
  result('MultipleVectors', 15, 15, ''),
  result('NullableVector', 7, 7, ''),
  result('PartialLoad', 9, 9, ''),
  result('Partition', 16, 16, ''),
  result('PartitionKey', 10, 10, ''),
  result('Replica', 3, 3, ''),
  result('Segment', 8, 8, ''),
  result('SparseVector.array', 7, 7, ''),
  result('SparseVector.coo', 7, 7, ''),
  result('SparseVector.csr', 7, 7, ''),
  result('SparseVector.dict', 7, 7, ''),
  result('Timestamptz', 7, 7, ''),
  result('TruncateCollection', 4, 4, ''),
  result('Upsert', 15, 15, ''),
];

export const SUITE_SPECS = RESULTS.map(({ spec }) => spec);

function result(spec: string, total: number, passed: number, rest: string): SpecResult {
  return { spec, total, passed, rest };
}

/** A section of the compatibility page. The figures were measured, not computed: whoever changes what is offered measures anew. */
export function nodeClientSuite(): readonly string[] {
  const rows = RESULTS.map(
    ({ spec, total, passed, rest }) =>
      `| ${spec} | ${total} | ${passed === total ? `**${passed}**` : passed} | ${rest} |`,
  );
  const total = RESULTS.reduce((sum, one) => sum + one.total, 0);
  const passed = RESULTS.reduce((sum, one) => sum + one.passed, 0);
  return [
    "## The official Node client's suite",
    '',
    'Tests of milvus-io/milvus-sdk-node 3.0.3 (commit cf62b33), untouched, with Node 20, spec by spec, against a cluster of 2 proxies, 3 readers and 2 writers: `npm run client-suite -- --checkout DIRECTORY`, the directory being an installed checkout.',
    '',
    '| spec | tests | passed | the rest asks for |',
    '|---|---|---|---|',
    ...rows,
    `| all of these | ${total} | ${passed} | |`,
    '',
    'Values in the Data spec are random, and one of its tests fails when two of them are alike. The other specs are about one thing each that is not there yet or was not measured: struct arrays, full text and text match, embedding functions, highlighting, users, resource groups, import and the bulk writer, snapshots, external collections, operations on arrays in upserts.',
  ];
}
