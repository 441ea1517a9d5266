import type { Command } from 'commander';
import { loadConfig, type ResolvedConfig } from '../config/index.ts';

interface GlobalOptions {
  readonly config?: string;
  readonly set: readonly string[];
}

/** The configuration a command was given by its global options; `extra` are settings of its own, overridden by `--set`. */
export function configOf(command: Command, extra: readonly string[] = []): ResolvedConfig {
  const options = command.optsWithGlobals<GlobalOptions>();
  return loadConfig(options.config ?? null, [...extra, ...options.set]);
}

/** The global options as arguments, to hand them on to a child process. */
export function globalArguments(command: Command): readonly string[] {
  const options = command.optsWithGlobals<GlobalOptions>();
  const config = options.config === undefined ? [] : ['--config', options.config];
  return [...config, ...options.set.flatMap((setting) => ['--set', setting])];
}
