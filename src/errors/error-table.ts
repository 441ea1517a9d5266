/**
 * The one table of everything that can go wrong in operation. `docs/reference/errors.md` is generated from it.
 *
 * - `milvusCode`: what Milvus clients read in `common.Status.code` (Milvus `merr` numbers).
 * - `legacyCode`: the name of `common.ErrorCode` older clients read in `common.Status.error_code`.
 * - `retriable`: whether the same request may succeed later without being changed.
 * - `actor`: who can cure it: the `client` by changing the request, the `operator`, or `nobody` (wait and retry).
 */
export interface ErrorEntry {
  readonly milvusCode: number;
  readonly legacyCode: string;
  readonly grpcStatus: string;
  readonly httpStatus: number;
  readonly retriable: boolean;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
  readonly actor: 'client' | 'operator' | 'nobody';
  readonly meaning: string;
}

const client = {
  grpcStatus: 'INVALID_ARGUMENT',
  httpStatus: 400,
  retriable: false,
  logLevel: 'debug',
  actor: 'client',
} as const;
const missing = {
  grpcStatus: 'NOT_FOUND',
  httpStatus: 404,
  retriable: false,
  logLevel: 'debug',
  actor: 'client',
} as const;
const passing = {
  grpcStatus: 'UNAVAILABLE',
  httpStatus: 503,
  retriable: true,
  logLevel: 'warn',
  actor: 'nobody',
} as const;
const broken = {
  grpcStatus: 'INTERNAL',
  httpStatus: 500,
  retriable: false,
  logLevel: 'error',
  actor: 'operator',
} as const;

export const ERROR_TABLE = {
  // The cluster cannot do it now.
  SERVICE_NOT_READY: {
    ...passing,
    milvusCode: 1,
    legacyCode: 'NotReadyServe',
    meaning: 'the process is starting or stopping',
  },
  SERVICE_UNAVAILABLE: {
    ...passing,
    milvusCode: 2,
    legacyCode: 'UnexpectedError',
    meaning: 'no node that could answer was reachable',
  },
  NO_WRITER: {
    ...passing,
    milvusCode: 2,
    legacyCode: 'UnexpectedError',
    meaning: 'no writer holds the lease; a standby takes over within the lease time',
  },
  NO_READER: {
    ...passing,
    milvusCode: 2,
    legacyCode: 'UnexpectedError',
    meaning: 'no healthy reader is registered',
  },
  NOT_LEADER: {
    ...passing,
    milvusCode: 2,
    legacyCode: 'UnexpectedError',
    meaning: 'the request reached a writer that does not hold the lease',
  },
  FENCED: {
    ...passing,
    milvusCode: 2,
    legacyCode: 'UnexpectedError',
    meaning: 'a newer epoch took over; this process must stop writing',
  },
  STALE_PLAN: {
    ...passing,
    logLevel: 'debug',
    milvusCode: 2,
    legacyCode: 'UnexpectedError',
    meaning: 'a search was planned from a catalog the reader has moved past; plan again',
  },
  CONNECTION_LOST: {
    ...passing,
    milvusCode: 2,
    legacyCode: 'UnexpectedError',
    meaning: 'the connection to a node broke before the answer came',
  },
  UNREACHABLE: {
    ...passing,
    milvusCode: 2,
    legacyCode: 'UnexpectedError',
    meaning: 'no connection to a node could be made; nothing was executed',
  },
  OVERLOADED: {
    ...passing,
    grpcStatus: 'RESOURCE_EXHAUSTED',
    httpStatus: 429,
    milvusCode: 8,
    legacyCode: 'RateLimit',
    meaning: 'a queue reached its bound; retry with backoff',
  },
  QUOTA_EXCEEDED: {
    ...client,
    grpcStatus: 'RESOURCE_EXHAUSTED',
    httpStatus: 403,
    milvusCode: 9,
    legacyCode: 'ForceDeny',
    meaning: 'a property of the database forbids it',
  },
  METASTORE_UNAVAILABLE: {
    ...passing,
    milvusCode: 2,
    legacyCode: 'MetaFailed',
    actor: 'operator',
    meaning: 'the metadata service did not answer',
  },
  STORAGE_UNAVAILABLE: {
    ...passing,
    milvusCode: 2,
    legacyCode: 'UnexpectedError',
    actor: 'operator',
    meaning: 'shared storage did not answer or is full',
  },
  MEMORY_LIMIT: {
    ...passing,
    grpcStatus: 'RESOURCE_EXHAUSTED',
    milvusCode: 3,
    legacyCode: 'MemoryQuotaExhausted',
    actor: 'operator',
    meaning: 'a memory bound was reached',
  },
  DISK_LIMIT: {
    ...passing,
    grpcStatus: 'RESOURCE_EXHAUSTED',
    milvusCode: 7,
    legacyCode: 'DiskQuotaExhausted',
    actor: 'operator',
    meaning: 'the disk of the log is nearly full; writes are refused, reads go on',
  },
  DEADLINE_EXCEEDED: {
    ...passing,
    grpcStatus: 'DEADLINE_EXCEEDED',
    httpStatus: 504,
    milvusCode: 10001,
    legacyCode: 'UnexpectedError',
    meaning: 'the deadline of the request passed',
  },
  CANCELLED: {
    ...client,
    grpcStatus: 'CANCELLED',
    httpStatus: 499,
    milvusCode: 10000,
    legacyCode: 'UnexpectedError',
    meaning: 'the client gave the request up',
  },
  // A defect or damage.
  INTERNAL: { ...broken, milvusCode: 5, legacyCode: 'UnexpectedError', meaning: 'a defect of this program' },
  CORRUPT_DATA: {
    ...broken,
    milvusCode: 5,
    legacyCode: 'UnexpectedError',
    meaning: 'stored bytes failed their checksum or structure test',
  },
  NOT_SUPPORTED: {
    ...client,
    grpcStatus: 'UNIMPLEMENTED',
    httpStatus: 501,
    milvusCode: 10,
    legacyCode: 'UnexpectedError',
    meaning: 'this version does not offer the call or option',
  },
  // The request is wrong.
  PARAMETER_INVALID: {
    ...client,
    milvusCode: 1100,
    legacyCode: 'IllegalArgument',
    meaning: 'a value of the request is out of its domain',
  },
  PARAMETER_MISSING: {
    ...client,
    milvusCode: 1101,
    legacyCode: 'IllegalArgument',
    meaning: 'the request lacks a required value',
  },
  PARAMETER_TOO_LARGE: {
    ...client,
    milvusCode: 1102,
    legacyCode: 'IllegalArgument',
    meaning: 'a value of the request is above its limit',
  },
  FILTER_INVALID: {
    ...client,
    milvusCode: 1100,
    legacyCode: 'IllegalArgument',
    meaning: 'the filter expression does not parse or type-check',
  },
  CONFIG_INVALID: {
    ...client,
    actor: 'operator',
    logLevel: 'error',
    milvusCode: 1100,
    legacyCode: 'IllegalArgument',
    meaning: 'the configuration has an unknown key or a value out of range',
  },
  DATABASE_NOT_FOUND: {
    ...missing,
    milvusCode: 800,
    legacyCode: 'UnexpectedError',
    meaning: 'no database has this name',
  },
  DATABASE_INVALID_NAME: {
    ...client,
    milvusCode: 802,
    legacyCode: 'IllegalArgument',
    meaning: 'the database name breaks the naming rules',
  },
  DATABASE_NOT_EMPTY: {
    ...client,
    milvusCode: 1100,
    legacyCode: 'UnexpectedError',
    meaning: 'only an empty database can be dropped',
  },
  DATABASE_EXISTS: {
    ...client,
    milvusCode: 1100,
    legacyCode: 'UnexpectedError',
    meaning: 'a database of this name exists',
  },
  COLLECTION_NOT_FOUND: {
    ...missing,
    milvusCode: 100,
    legacyCode: 'CollectionNotExists',
    meaning: 'no collection or alias has this name',
  },
  COLLECTION_NOT_LOADED: {
    ...client,
    milvusCode: 101,
    legacyCode: 'UnexpectedError',
    meaning: 'the collection must be loaded before it is searched',
  },
  COLLECTION_NOT_FULLY_LOADED: {
    ...passing,
    logLevel: 'debug',
    milvusCode: 103,
    legacyCode: 'UnexpectedError',
    meaning: 'loading has not finished',
  },
  COLLECTION_LOADED: {
    ...client,
    milvusCode: 104,
    legacyCode: 'UnexpectedError',
    meaning: 'the collection must be released first',
  },
  COLLECTION_EXISTS: {
    ...client,
    milvusCode: 1100,
    legacyCode: 'UnexpectedError',
    meaning: 'a collection of this name exists with another schema',
  },
  COLLECTION_SCHEMA_INVALID: {
    ...client,
    milvusCode: 1100,
    legacyCode: 'IllegalArgument',
    meaning: 'the schema of the new collection breaks a rule',
  },
  PARTITION_NOT_FOUND: {
    ...missing,
    milvusCode: 200,
    legacyCode: 'UnexpectedError',
    meaning: 'no partition has this name',
  },
  PARTITION_NOT_LOADED: {
    ...client,
    milvusCode: 201,
    legacyCode: 'UnexpectedError',
    meaning: 'the partition must be loaded before it is searched',
  },
  PARTITION_KEY_DECIDES: {
    ...client,
    milvusCode: 65535,
    legacyCode: 'UnexpectedError',
    meaning: 'a partition was named where the partition key chooses it',
  },
  PARTITION_EXISTS: {
    ...client,
    milvusCode: 1100,
    legacyCode: 'UnexpectedError',
    meaning: 'a partition of this name exists',
  },
  CHANNEL_NOT_FOUND: {
    ...missing,
    milvusCode: 500,
    legacyCode: 'UnexpectedError',
    meaning: 'no channel has this id',
  },
  SEGMENT_NOT_FOUND: {
    ...missing,
    milvusCode: 600,
    legacyCode: 'UnexpectedError',
    meaning: 'no segment has this id',
  },
  INDEX_NOT_FOUND: {
    ...missing,
    milvusCode: 700,
    legacyCode: 'IndexNotExist',
    meaning: 'the field has no index of this name',
  },
  INDEX_INVALID: {
    ...client,
    milvusCode: 1100,
    legacyCode: 'IllegalArgument',
    meaning: 'an index parameter is unknown or out of range',
  },
  INDEX_EXISTS: {
    ...client,
    milvusCode: 702,
    legacyCode: 'UnexpectedError',
    meaning: 'the field has another index already',
  },
  ALIAS_NOT_FOUND: {
    ...missing,
    milvusCode: 1600,
    legacyCode: 'UnexpectedError',
    meaning: 'no alias has this name',
  },
  ALIAS_NAME_CONFLICT: {
    ...client,
    milvusCode: 1601,
    legacyCode: 'UnexpectedError',
    meaning: 'a collection has this name',
  },
  ALIAS_EXISTS: {
    ...client,
    milvusCode: 1602,
    legacyCode: 'UnexpectedError',
    meaning: 'the alias belongs to another collection',
  },
  FIELD_NOT_FOUND: {
    ...missing,
    milvusCode: 1700,
    legacyCode: 'UnexpectedError',
    meaning: 'the schema has no field of this name',
  },
  FIELD_INVALID_NAME: {
    ...client,
    milvusCode: 1701,
    legacyCode: 'UnexpectedError',
    meaning: 'the field name breaks the naming rules',
  },
  SCHEMA_MISMATCH: {
    ...client,
    milvusCode: 109,
    legacyCode: 'SchemaMismatch',
    meaning: 'the rows do not fit the schema of the collection',
  },
  OBJECT_NOT_FOUND: {
    ...missing,
    milvusCode: 1000,
    legacyCode: 'UnexpectedError',
    actor: 'operator',
    meaning: 'shared storage has no object of this key',
  },
  OBJECT_CONFLICT: {
    ...passing,
    logLevel: 'debug',
    milvusCode: 1001,
    legacyCode: 'UnexpectedError',
    meaning: 'a conditional put found another version',
  },
  LOG_TRUNCATED: {
    ...passing,
    logLevel: 'debug',
    milvusCode: 2,
    legacyCode: 'UnexpectedError',
    meaning: 'the log no longer has the asked entries; their rows are in segments',
  },
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof ERROR_TABLE;

export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === 'string' && Object.hasOwn(ERROR_TABLE, value);
}
