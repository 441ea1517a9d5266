import type { ConfigKey } from './config-key.ts';
import { ROLE_KEYS } from './role-keys.ts';
import { SERVICE_KEYS } from './service-keys.ts';

/** Every configuration key there is. `docs/reference/config.md` is generated from it. */
export const CONFIG_KEYS = { ...SERVICE_KEYS, ...ROLE_KEYS } as const satisfies Record<
  string,
  ConfigKey<never> | ConfigKey<unknown>
>;

export type ConfigPath = keyof typeof CONFIG_KEYS;

type ValueOf<Key> = Key extends ConfigKey<infer Value> ? Value : never;

/** The resolved configuration, frozen, by path. */
export type Config = { readonly [Path in ConfigPath]: ValueOf<(typeof CONFIG_KEYS)[Path]> };
