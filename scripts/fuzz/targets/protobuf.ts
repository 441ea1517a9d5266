import type { FuzzTarget } from '../fuzz-target.ts';
import { mutateBytes } from '../mutate.ts';
import { columnToWire } from '../../../src/proxy/translate/column-to-wire.ts';
import {
  DeleteRequest,
  InsertRequest,
  PlaceholderGroup,
  PlaceholderType,
  QueryRequest,
  SearchRequest,
} from '../../../src/proxy/translate/generated/milvus.js';
import { queriesFromWire } from '../../../src/proxy/translate/placeholder-group.ts';
import { rowsFromWire } from '../../../src/proxy/translate/row-batch.ts';
import { searchParamsFromWire } from '../../../src/proxy/translate/search-params.ts';
import { templateValuesFromWire } from '../../../src/proxy/translate/template-values.ts';
import type { TimeView } from '../../../src/proxy/translate/times.ts';
import { columnOf } from '../../../src/columns/index.ts';
import { randomRows, schemaOf, schemaOfAllTypes } from '../../../test/support/random-rows.ts';

const schema = schemaOfAllTypes('Int64', 2);
const vectorField = schema.fields.find(({ type }) => type === 'FloatVector')!;
/** Clients send values of the valid rows only: here of all. */
const fields = schema.fields.map((field) => ({ ...field, nullable: false }));
const TIMES: TimeView = { zone: 'UTC', fields: null };
const KINDS = ['insert', 'search', 'query', 'delete'] as const;

/** The messages of the hot path as clients send them, and what the proxy makes of them. The first byte says which one. */
export const protobufTarget: FuzzTarget = {
  seeds(random) {
    const rows = randomRows(random, schemaOf(fields), 4);
    const fieldsData = fields.map((field) => columnToWire(field, columnOf(rows, field.id), TIMES));
    const vector = new Uint8Array(Float32Array.of(0.5, -1).buffer);
    const group = { tag: '$0', type: PlaceholderType.FloatVector, values: [vector, vector] };
    const searchParams = Object.entries({
      anns_field: vectorField.name,
      topk: '10',
      metric_type: 'L2',
      params: '{"ef":64}',
      round_decimal: '-1',
    }).map(([key, value]) => ({ key, value }));
    const exprTemplateValues = new Map([['x', { int64Val: 3n }]]);
    const common = { collectionName: 'c', partitionNames: ['p'], outputFields: ['id', '*'] };
    return [
      InsertRequest.encode({ collectionName: 'c', fieldsData, numRows: 4, hashKeys: Uint32Array.of(1, 2) }),
      SearchRequest.encode({
        ...common,
        dsl: 'id > 3',
        nq: 2n,
        searchParams,
        placeholderGroup: PlaceholderGroup.encode({ placeholders: [group] }),
        exprTemplateValues,
      }),
      QueryRequest.encode({ ...common, expr: 'id in [1]', exprTemplateValues }),
      DeleteRequest.encode({ collectionName: 'c', expr: 'id in [1]', exprTemplateValues }),
    ].map((bytes, kind) => Buffer.concat([Buffer.of(kind), bytes]));
  },
  // A message of one kind is not spliced with the others: they would only be cut short.
  mutate: (random, seeds) => mutateBytes(random, [seeds[random.below(seeds.length)]!]),
  run(input) {
    const kind = KINDS[input[0] ?? 0] ?? 'insert';
    const bytes = input.subarray(1);
    if (kind === 'insert') {
      rowsFromWire(schema, InsertRequest.decode(bytes), 'insert', 'UTC');
    } else if (kind === 'search') {
      const request = SearchRequest.decode(bytes);
      templateValuesFromWire(request.exprTemplateValues);
      searchParamsFromWire(request.searchParams, schema);
      queriesFromWire(request.placeholderGroup ?? new Uint8Array(0), request.nq, vectorField);
    } else if (kind === 'query') templateValuesFromWire(QueryRequest.decode(bytes).exprTemplateValues);
    else templateValuesFromWire(DeleteRequest.decode(bytes).exprTemplateValues);
  },
};
