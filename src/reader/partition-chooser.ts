import type { PartitionChoice } from '../protocol/reader-api.ts';
import type { PartitionId } from '../schema/index.ts';

export function partitionChooser({ ids, newerThan }: PartitionChoice): (id: PartitionId) => boolean {
  const chosen = new Set(ids);
  const newest = newerThan === null ? Number.POSITIVE_INFINITY : Number(newerThan);
  return (id) => chosen.has(id) || Number(id) > newest;
}
