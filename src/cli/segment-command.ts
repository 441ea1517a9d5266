import type { Command } from 'commander';
import { configOf } from './cli-config.ts';
import { printJson } from './management-client.ts';
import { inspectSegments, type SegmentInspection } from '../server/inspect-segments.ts';

/** `mishards segment inspect [ID]`: what the catalog says of segments and whether their files hold it. */
export function addSegmentCommand(program: Command): void {
  program
    .command('segment')
    .description('look at segments')
    .command('inspect [id]')
    .description(
      'show segments (all, or one) and check every file of them against its checksums; needs no running cluster',
    )
    .option('--json', 'print JSON')
    .action(async (id: string | undefined, flags: { readonly json?: true }, command: Command) => {
      const inspections = await inspectSegments(configOf(command).config, id ?? null);
      if (inspections.some((inspection) => inspection.damage !== null)) process.exitCode = 1;
      if (flags.json === true) return printJson(inspections);
      for (const inspection of inspections) process.stdout.write(describe(inspection));
    });
}

function describe({ collection, partition, meta, damage }: SegmentInspection): string {
  const files = [
    `rows ${meta.rows.sizeBytes} B ${meta.rows.objectKey}`,
    ...meta.vectors.map((file) => `vectors of field ${file.fieldId} ${file.sizeBytes} B ${file.objectKey}`),
    ...meta.indexes.map(
      (file) => `${file.type} index of field ${file.fieldId} ${file.sizeBytes} B ${file.objectKey}`,
    ),
  ];
  const lines = [
    `segment ${meta.id} of ${collection}, partition ${partition}, channel ${meta.channelId}: ${meta.rowCount} rows, format ${meta.formatVersion}`,
    ...files.map((file) => `  ${file}`),
    `  ${damage === null ? 'every file holds' : `DAMAGED: ${damage}`}`,
  ];
  return `${lines.join('\n')}\n`;
}
