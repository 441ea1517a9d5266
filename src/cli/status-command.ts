import type { Command } from 'commander';
import { askManagement, managementOption, printJson } from './management-client.ts';
import type { ClusterStatus } from '../server/status-pages.ts';

/** `mishards status`: nodes and collections as a proxy sees them. */
export function addStatusCommand(program: Command): void {
  program
    .command('status')
    .description('show the nodes, the writer and the collections of a running cluster')
    .addOption(managementOption())
    .option('--json', 'print JSON')
    .action(async (options: { readonly management: string; readonly json?: true }) => {
      const status = (await askManagement(options.management, '/status')) as ClusterStatus;
      if (options.json === true) return printJson(status);
      const { writer, nodes, collections } = status;
      process.stdout.write(
        `catalog revision ${status.revision}, writer ${writer === null ? 'none' : `${writer.nodeId} (epoch ${writer.epoch})`}\n`,
      );
      for (const node of nodes)
        process.stdout.write(`  ${node.role.padEnd(7)} ${node.id.padEnd(12)} ${node.address}\n`);
      for (const collection of collections) {
        const load = collection.replicas === null ? 'released' : `loaded, ${collection.replicas} replicas`;
        process.stdout.write(
          `  ${collection.database}/${collection.name}: ${collection.rowsInSegments} rows in ${collection.segments} segments, ${load}\n`,
        );
      }
    });
}
