import type { FilterValue } from '../filter-value.ts';
import { canonicalNumber } from './canonical-number.ts';

const encoder = new TextEncoder();

/** A constant in the form that JSON texts are compared with. */
export type JsonConstant =
  | { readonly kind: 'boolean'; readonly value: boolean }
  /** In canonical form (`canonicalNumber`). */
  | { readonly kind: 'number'; readonly value: bigint | number }
  | { readonly kind: 'string'; readonly bytes: Uint8Array }
  | { readonly kind: 'array'; readonly items: readonly JsonConstant[] };

export function jsonConstant(value: FilterValue): JsonConstant {
  switch (typeof value) {
    case 'boolean':
      return { kind: 'boolean', value };
    case 'string':
      return { kind: 'string', bytes: encoder.encode(value) };
    case 'object':
      return { kind: 'array', items: value.map(jsonConstant) };
    default:
      return { kind: 'number', value: canonicalNumber(value) };
  }
}
