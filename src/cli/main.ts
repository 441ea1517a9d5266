import { Command, Option } from 'commander';
import { addClusterCommand } from './cluster-command.ts';
import { addConfigCommand } from './config-command.ts';
import { addRoleCommands } from './role-commands.ts';
import { addRouteCommand } from './route-command.ts';
import { addSegmentCommand } from './segment-command.ts';
import { addStatusCommand } from './status-command.ts';
import { MishardsError } from '../errors/index.ts';

/** The command line. Errors of operation print one line and exit with 1; a defect prints its stack and exits with 70. */
export async function main(argv: readonly string[]): Promise<void> {
  const program = new Command('mishards')
    .description('Distributed vector search that any Milvus client can talk to')
    .version('0.1.0')
    .addOption(new Option('-c, --config <file>', 'YAML configuration'))
    .addOption(
      new Option('-s, --set <key=value>', 'set one configuration key; may be repeated')
        .default([] as string[])
        .argParser((value: string, earlier: string[]) => [...earlier, value]),
    )
    .showHelpAfterError()
    .configureHelp({ showGlobalOptions: true });
  addRoleCommands(program);
  addClusterCommand(program);
  addStatusCommand(program);
  addRouteCommand(program);
  addConfigCommand(program);
  addSegmentCommand(program);
  try {
    await program.parseAsync(argv);
  } catch (error) {
    if (error instanceof MishardsError) {
      process.stderr.write(`mishards: ${error.message}\n`);
      process.exitCode = 1;
    } else {
      process.stderr.write(`mishards: ${error instanceof Error ? error.stack : String(error)}\n`);
      process.exitCode = 70;
    }
  }
}
