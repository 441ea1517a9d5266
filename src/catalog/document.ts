import { JsonFields } from '../util/json-fields.ts';
import { MishardsError } from '../errors/index.ts';
import type { JsonValue } from '../util/packet.ts';

/** Raised when a document changes so that older programs would misread it. */
const DOCUMENT_VERSION = 1;

/** A document as it is stored: the model's object with the version of its form. */
export function encodeDocument(document: object): string {
  return JSON.stringify({ version: DOCUMENT_VERSION, ...document });
}

/** `CORRUPT_DATA` when it is no such document, `NOT_SUPPORTED` when a newer program wrote it in another form. */
export function decodeDocument<T>(key: string, text: string, read: (fields: JsonFields) => T): T {
  const fields = new JsonFields(key, parse(key, text));
  const version = fields.count('version');
  if (version !== DOCUMENT_VERSION) {
    throw new MishardsError(
      'NOT_SUPPORTED',
      `${key} has document version ${version}, this program reads version ${DOCUMENT_VERSION}; upgrade it`,
    );
  }
  return read(fields);
}

function parse(key: string, text: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue;
  } catch (error) {
    throw new MishardsError('CORRUPT_DATA', `${key} is not JSON`, { cause: error });
  }
}
