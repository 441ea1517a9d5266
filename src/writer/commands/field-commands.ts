import {
  NOTHING_TO_DO,
  changeProperties,
  putCollection,
  requireCollection,
  type CommandContext,
  type CommandPlan,
} from './command-context.ts';
import type { AlterFieldCommand } from '../../catalog/commands.ts';
import { MishardsError } from '../../errors/index.ts';
import type { FieldSchema } from '../../schema/index.ts';

/** Bounds hold for rows that are written from now on; those that are there stay as they are. */
export function alterField(command: AlterFieldCommand, context: CommandContext): CommandPlan {
  const meta = requireCollection(context.snapshot, command.collectionId);
  const field = meta.schema.fields.find((candidate) => candidate.id === command.fieldId);
  if (field === undefined) {
    throw new MishardsError(
      'FIELD_NOT_FOUND',
      `field not found[field=${command.fieldId}][collection=${meta.name}]`,
    );
  }
  const changed: FieldSchema = {
    ...field,
    maxLength: command.maxLength ?? field.maxLength,
    maxCapacity: command.maxCapacity ?? field.maxCapacity,
    typeParams: changeProperties(field.typeParams, command),
  };
  if (isSame(field, changed)) return NOTHING_TO_DO;
  const fields = meta.schema.fields.map((candidate) => (candidate === field ? changed : candidate));
  return [
    putCollection({
      ...meta,
      schema: { ...meta.schema, fields },
      schemaVersion: meta.schemaVersion + 1,
    }),
  ];
}

function isSame(field: FieldSchema, changed: FieldSchema): boolean {
  return (
    field.maxLength === changed.maxLength &&
    field.maxCapacity === changed.maxCapacity &&
    field.typeParams === changed.typeParams
  );
}
