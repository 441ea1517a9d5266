export { fieldsOf, partitionKeyValues, primaryKeysOf } from './analysis.ts';
export { FILTER_FUNCTIONS, type FilterFunction, type FilterNode } from './ast.ts';
export { compileFilter } from './compile/compile-filter.ts';
export { templateToJson, type TemplateValues } from './compile/template-values.ts';
export { evaluateFilter, evaluateSlice } from './evaluate/evaluate-filter.ts';
export type { ColumnSource } from './evaluate/operand.ts';
export { buildGeometryIndex } from './field-index/build-geometry-index.ts';
export {
  buildIndex,
  buildJsonIndex,
  isOrderedType,
  ORDERED_TYPES,
  type OrderedType,
} from './field-index/build-index.ts';
export { checkGeometryIndex } from './field-index/check-geometry-index.ts';
export { checkIndex } from './field-index/check-index.ts';
export type { FieldIndex, IndexMatches, IndexSource } from './field-index/field-index.ts';
export { GeometryIndex } from './field-index/geometry-index.ts';
export { JsonIndex } from './field-index/json-index.ts';
export {
  isArrayCast,
  JSON_CASTS,
  jsonElementType,
  type JsonCast,
  type JsonTarget,
} from './field-index/json-values.ts';
export { PostingIndex } from './field-index/posting-index.ts';
export { Postings } from './field-index/postings.ts';
export { SortedKeys } from './field-index/sorted-keys.ts';
export { Int64Terms, NumberTerms, TextTerms, type Terms } from './field-index/terms.ts';
export { useIndexes } from './field-index/use-indexes.ts';
export { DEFAULT_FILTER_LIMITS, type FilterLimits } from './filter-limits.ts';
export type { FilterValue } from './filter-value.ts';
export type { FilterPlan, Predicate } from './plan.ts';
export { mayPass, pruningCost, type ValueRange } from './prune.ts';
export { formatFilter } from './syntax/format-filter.ts';
export { parseFilter } from './syntax/parse-filter.ts';
export { zonedFilter } from './zoned-filter.ts';
