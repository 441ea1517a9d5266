import { compatibilityRows } from './compatibility-page.ts';
import { nodeClientSuite } from './node-client-suite.ts';
import { CONFIG_KEYS, environmentName } from '../src/config/index.ts';
import { ERROR_TABLE } from '../src/errors/index.ts';

/** File name in docs/reference and text of each page that is made from code. */
export const REFERENCE_PAGES: ReadonlyMap<string, string> = new Map([
  ['errors.md', errorsPage()],
  ['config.md', configPage()],
  ['compatibility.md', compatibilityPage()],
]);

function errorsPage(): string {
  const rows = Object.entries(ERROR_TABLE).map(
    ([code, entry]) =>
      `| \`${code}\` | ${entry.milvusCode} | ${entry.legacyCode} | ${entry.grpcStatus} | ${entry.httpStatus} | ${entry.retriable ? 'yes' : 'no'} | ${entry.actor} | ${entry.meaning} |`,
  );
  return page('Errors', 'Made from `src/errors/error-table.ts` by `npm run docs`.', [
    '| error | Milvus code | legacy code | gRPC | HTTP | retry | who must act | meaning |',
    '|---|---|---|---|---|---|---|---|',
    ...rows,
  ]);
}

function configPage(): string {
  const rows = Object.entries(CONFIG_KEYS).map(
    ([path, key]) =>
      `| \`${path}\` | \`${environmentName(path)}\` | ${key.type.replaceAll('|', 'or')} | \`${JSON.stringify(key.default)}\` | ${key.doc} |`,
  );
  return page(
    'Configuration',
    'Made from `src/config/` by `npm run docs`. A YAML file (`--config`), then the environment, then `--set key=value`; durations in ms unless they say s, m or h, sizes in bytes unless they say KiB, MiB, GiB or TiB. `mishards config check` prints what holds and where it came from.',
    ['| key | environment | type | default | |', '|---|---|---|---|---|', ...rows],
  );
}

function compatibilityPage(): string {
  return page(
    'Compatibility with Milvus',
    'Made from the handlers in `src/proxy/milvus` by `npm run docs`. The protocol is that of Milvus 3.0. A call that is not answered fails within its own reply with code 10, "… is not supported yet"; so does a request that asks an answered call for what it leaves out.',
    [
      '| call | answered | what it leaves out |',
      '|---|---|---|',
      ...compatibilityRows(),
      '',
      ...nodeClientSuite(),
    ],
  );
}

function page(title: string, introduction: string, lines: readonly string[]): string {
  return `# ${title}\n\n${introduction}\n\n${lines.join('\n')}\n`;
}
