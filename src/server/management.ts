import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { MishardsError, asMishardsError } from '../errors/index.ts';
import type { Metrics } from '../telemetry/metrics.ts';

export interface ManagementOptions {
  readonly host: string;
  readonly port: number;
  readonly metrics: Metrics;
  /** Empty when this process can serve; else what is missing. */
  readonly notReady: () => readonly string[];
  /** Further pages that answer with JSON, by path; they get the query string. */
  readonly pages: () => ReadonlyMap<string, (query: URLSearchParams) => unknown>;
}

export interface Management extends AsyncDisposable {
  readonly port: number;
}

/** Health, metrics and what operators ask, over plain HTTP. */
export async function listenManagement(options: ManagementOptions): Promise<Management> {
  const server = createServer((request, response) => {
    answer(options, request, response).catch((error: unknown) => {
      const typed = asMishardsError(error);
      sendJson(response, typed.entry.httpStatus, { code: typed.code, message: typed.message });
    });
  });
  await listen(server, options);
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

async function listen(server: Server, { host, port }: ManagementOptions): Promise<void> {
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (error) {
    throw new MishardsError(
      'CONFIG_INVALID',
      `cannot listen on ${host}:${port}: ${(error as Error).message}; choose another management.host or management.port`,
      { cause: error },
    );
  }
}

async function answer(
  options: ManagementOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://management');
  const pages = options.pages();
  const page = pages.get(url.pathname);
  if (page !== undefined) return sendJson(response, 200, await page(url.searchParams));
  switch (url.pathname) {
    case '/livez':
      return sendJson(response, 200, { status: 'alive' });
    case '/healthz':
    case '/readyz': {
      const missing = options.notReady();
      return sendJson(response, missing.length === 0 ? 200 : 503, {
        status: missing.length === 0 ? 'ready' : 'not ready',
        missing,
      });
    }
    case '/metrics':
      response.writeHead(200, { 'content-type': options.metrics.contentType });
      response.end(await options.metrics.text());
      return;
    default:
      sendJson(response, 404, {
        message: `no page ${url.pathname}`,
        pages: ['/livez', '/healthz', '/readyz', '/metrics', ...pages.keys()],
      });
  }
}

function sendJson(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(
    JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'bigint' ? String(inner) : inner)) + '\n',
  );
}
