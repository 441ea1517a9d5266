import { Option } from 'commander';
import { MishardsError } from '../errors/index.ts';

export const managementOption = (): Option =>
  new Option('--management <url>', 'management address of a proxy').default('http://127.0.0.1:9091');

/** JSON from a running process's management port. */
export async function askManagement(
  base: string,
  path: string,
  query: Readonly<Record<string, string>> = {},
): Promise<unknown> {
  const url = new URL(path, base);
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  let response: Response;
  try {
    response = await fetch(url);
  } catch (error) {
    throw new MishardsError(
      'SERVICE_UNAVAILABLE',
      `nothing answers at ${base}; start a proxy or give --management`,
      { cause: error },
    );
  }
  const body: unknown = await response.json();
  if (!response.ok) {
    const message = (body as { readonly message?: string }).message ?? response.statusText;
    throw new MishardsError('PARAMETER_INVALID', message);
  }
  return body;
}

/** What a process answered, for people and scripts. */
export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}
