export { ERROR_TABLE, isErrorCode, type ErrorCode, type ErrorEntry } from './error-table.ts';
export {
  MishardsError,
  asMishardsError,
  errorFromWire,
  errorToWire,
  isErrorWithCode,
  type ErrorOnWire,
} from './mishards-error.ts';
