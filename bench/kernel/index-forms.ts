import { automaticIndexType } from '../../src/proxy/translate/offered-indexes.ts';
import {
  INDEX_TYPE_SPECS,
  INDEX_TYPES,
  type IndexType,
  type IndexTypeSpec,
} from '../../src/kernel/index-types.ts';
import type { VectorFormat } from '../../src/kernel/index.ts';

/** A type of index, and where its files come in several forms, one of them. */
export interface IndexForm {
  readonly name: string;
  /** What is built; null for exact searches, which need no file. */
  readonly type: IndexType | null;
  readonly format: VectorFormat;
  readonly params: Readonly<Record<string, number | string>>;
}

/** Parameters whose every choice gives files of another form. */
const FORM_PARAMETERS = ['sq_type'];
/**
 * Wherever a type has these: M as in the other benches, and little of what costs time but no bytes; all else as Milvus has it by
 * default.
 */
const PARAMS = { M: 16, efConstruction: 40 } as const;

/** Every type that can be asked for, in its forms, over the first format it takes. */
export function indexForms(): IndexForm[] {
  return [
    { name: 'FLAT', type: null, format: 'float32', params: {} },
    { name: 'BIN_FLAT', type: null, format: 'binary', params: {} },
    ...formsOf('AUTOINDEX', automaticIndexType('FloatVector') as IndexType),
    ...INDEX_TYPES.flatMap((type) => formsOf(type, type)),
  ];
}

function formsOf(name: string, type: IndexType): IndexForm[] {
  const spec: IndexTypeSpec = INDEX_TYPE_SPECS[type];
  const params = Object.fromEntries(Object.entries(PARAMS).filter(([key]) => Object.hasOwn(spec.build, key)));
  const base = { name, type, format: spec.formats[0]!, params };
  const varied = FORM_PARAMETERS.flatMap((key) => {
    const parameter = spec.build[key];
    if (parameter?.kind !== 'choice') return [];
    return parameter.choices.map((choice) => ({ ...base, params: { ...params, [key]: choice } }));
  });
  return varied.length > 0 ? varied : [base];
}
