export { CONFIG_KEYS, type Config, type ConfigPath } from './config-keys.ts';
export { loadConfig } from './load-config.ts';
export { formatConfig } from './format-config.ts';
export {
  environmentName,
  resolveConfig,
  type ConfigSources,
  type Origins,
  type ResolvedConfig,
} from './resolve-config.ts';
