/** How each scalar type of protobuf is written in the generated code. */
export interface ScalarType {
  readonly wireType: 0 | 1 | 2 | 5;
  /** TypeScript type of one value. */
  readonly type: string;
  readonly zero: string;
  /** Stem of the reader's and writer's methods: `int64` of `reader.int64()` and `writer.int64Field()`. */
  readonly stem: string;
  /** What a repeated field is decoded to; null = a plain array. */
  readonly repeated: RepeatedScalar | null;
}

export interface RepeatedScalar {
  readonly type: string;
  readonly read: string;
  readonly empty: string;
  readonly write: string;
}

const packed = (type: string, stem: string, write: string): RepeatedScalar => ({
  type,
  read: `repeated${stem}`,
  empty: `NO_${stem.toUpperCase()}`,
  write,
});

const SCALARS: Readonly<Record<string, ScalarType>> = {
  bool: {
    wireType: 0,
    type: 'boolean',
    zero: 'false',
    stem: 'bool',
    repeated: packed('Uint8Array', 'Bools', 'packedUint32Field'),
  },
  int32: {
    wireType: 0,
    type: 'number',
    zero: '0',
    stem: 'int32',
    repeated: packed('Int32Array', 'Int32s', 'packedInt32Field'),
  },
  uint32: {
    wireType: 0,
    type: 'number',
    zero: '0',
    stem: 'uint32',
    repeated: packed('Uint32Array', 'Uint32s', 'packedUint32Field'),
  },
  int64: {
    wireType: 0,
    type: 'bigint',
    zero: '0n',
    stem: 'int64',
    repeated: packed('BigInt64Array', 'Int64s', 'packed64Field'),
  },
  uint64: {
    wireType: 0,
    type: 'bigint',
    zero: '0n',
    stem: 'uint64',
    repeated: packed('BigUint64Array', 'Uint64s', 'packed64Field'),
  },
  float: {
    wireType: 5,
    type: 'number',
    zero: '0',
    stem: 'float',
    repeated: packed('Float32Array', 'Floats', 'packedFixedField'),
  },
  double: {
    wireType: 1,
    type: 'number',
    zero: '0',
    stem: 'double',
    repeated: packed('Float64Array', 'Doubles', 'packedFixedField'),
  },
  string: { wireType: 2, type: 'string', zero: "''", stem: 'string', repeated: null },
  bytes: { wireType: 2, type: 'Uint8Array', zero: 'NO_BYTES', stem: 'bytes', repeated: null },
};

export function scalarType(name: string): ScalarType {
  const scalar = SCALARS[name];
  if (scalar === undefined) throw new Error(`the protocol uses ${name}, which the generator does not know`);
  return scalar;
}
