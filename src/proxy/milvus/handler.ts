import type { ProxyCore, RequestContext } from '../proxy-core.ts';
import type { MilvusMethods } from '../translate/generated/milvus.js';
import type { Clock, Random } from '../../host/index.ts';

/** One call on its way through the front. */
export interface MilvusCall extends RequestContext {
  /** From the connection's metadata; a request may name another. */
  readonly databaseName: string;
}

/** What handlers have at hand. */
export interface FrontServices {
  readonly core: ProxyCore;
  readonly clock: Clock;
  readonly random: Random;
  readonly serverVersion: string;
  /** Segments with fewer rows are searched exactly: they count as indexed. */
  readonly indexRowsMin: number;
  /** Segments are merged up to this size. */
  readonly segmentBytesMax: number;
}

export type MethodName = keyof MilvusMethods;

/** Answers one RPC. Whatever it throws becomes the reply's status. */
export type Handler<Name extends MethodName> = (
  request: MilvusMethods[Name]['request'],
  call: MilvusCall,
) => Promise<MilvusMethods[Name]['reply']> | MilvusMethods[Name]['reply'];

export type Handlers<Names extends MethodName> = { readonly [Name in Names]: Handler<Name> };
