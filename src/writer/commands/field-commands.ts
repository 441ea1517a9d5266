import {
  NOTHING_TO_DO,
  changeProperties,
  putCollection,
  requireCollection,
  type CommandContext,
  type CommandPlan,
} from './command-context.ts';
import type { AddFieldCommand, AlterFieldCommand } from '../../catalog/commands.ts';
import { MishardsError } from '../../errors/index.ts';
import { validateAddedField, type FieldSchema } from '../../schema/index.ts';

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

/** The new field is the last that is shown; ids are never given twice, because no field is ever taken away. */
export function addField(command: AddFieldCommand, context: CommandContext): CommandPlan {
  const meta = requireCollection(context.snapshot, command.collectionId);
  const { schema } = meta;
  validateAddedField(schema, command.field);
  const field = { ...command.field, id: Math.max(...schema.fields.map(({ id }) => id)) + 1 };
  const declared = schema.fields.filter(({ isDynamic }) => !isDynamic);
  const dynamic = schema.fields.filter(({ isDynamic }) => isDynamic);
  return [
    putCollection({
      ...meta,
      schema: {
        ...schema,
        enableDynamicField: schema.enableDynamicField || field.isDynamic,
        fields: [...declared, field, ...dynamic],
      },
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
