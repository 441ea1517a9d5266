import type { Command } from 'commander';
import { configOf } from './cli-config.ts';
import { formatConfig } from '../config/index.ts';

/** `mishards config check`: every key with its value and where it came from, or what is wrong. */
export function addConfigCommand(program: Command): void {
  program
    .command('config')
    .description('look at the configuration')
    .command('check')
    .description('resolve the configuration and print each value with its origin')
    .action((_options: unknown, command: Command) => {
      process.stdout.write(`${formatConfig(configOf(command))}\n`);
    });
}
