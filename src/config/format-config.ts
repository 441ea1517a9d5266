import { CONFIG_KEYS, type ConfigPath } from './config-keys.ts';
import type { ResolvedConfig } from './resolve-config.ts';

/** One line a key: value and origin. Secrets are not shown. */
export function formatConfig({ config, origins }: ResolvedConfig): string {
  const rows = (Object.keys(CONFIG_KEYS) as ConfigPath[]).map((path) => {
    const value = CONFIG_KEYS[path].secret ? '<redacted>' : JSON.stringify(config[path]);
    return [`${path}: ${value}`, origins[path]] as const;
  });
  const width = Math.max(...rows.map(([setting]) => setting.length));
  return rows.map(([setting, origin]) => `${setting.padEnd(width)}  # ${origin}`).join('\n');
}
