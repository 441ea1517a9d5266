import type { Command } from 'commander';
import { askManagement, managementOption, printJson } from './management-client.ts';
import type { RouteExplanation } from '../proxy/proxy-core.ts';

interface RouteFlags {
  readonly management: string;
  readonly database: string;
  readonly json?: true;
}

/** `mishards route explain COLLECTION`: which reader answers for which segment, and who is next. */
export function addRouteCommand(program: Command): void {
  program
    .command('route')
    .description('look at the routing')
    .command('explain <collection>')
    .description('show for every segment and channel the readers in order of preference')
    .addOption(managementOption())
    .option('--database <name>', 'database of the collection', 'default')
    .option('--json', 'print JSON')
    .action(async (collection: string, flags: RouteFlags) => {
      const query = { collection, database: flags.database };
      const route = (await askManagement(flags.management, '/route', query)) as RouteExplanation;
      if (flags.json === true) return printJson(route);
      process.stdout.write(
        `router ${route.router}, ${route.copies} of the readers keep each segment loaded\n`,
      );
      for (const item of route.items) {
        const [copies, rest] = [item.nodes.slice(0, route.copies), item.nodes.slice(route.copies)];
        const next = rest.length === 0 ? '' : ` then ${rest.join(', ')}`;
        const rows = item.kind === 'segment' ? ` ${item.rowCount} rows` : '';
        process.stdout.write(`  ${item.kind} ${item.key}${rows}: ${copies.join(', ')}${next}\n`);
      }
    });
}
