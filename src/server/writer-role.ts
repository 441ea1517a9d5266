import { listenWire, nodeInfo, type RoleOptions, type RunningRole } from './role.ts';
import type { NodeServices } from './node-services.ts';
import { serveWriter } from '../protocol/writer-server.ts';
import { createWriter } from '../writer/index.ts';

export async function startWriterRole(services: NodeServices, options: RoleOptions): Promise<RunningRole> {
  const { config, discovery } = services;
  await using stack = new AsyncDisposableStack();
  const server = stack.use(
    await listenWire(services, 'writer', options.listenAddress, (method, request, context) =>
      handler(method, request, context),
    ),
  );
  const writer = stack.use(
    await createWriter({
      ...services,
      kernel: services.kernel(),
      node: nodeInfo(services, 'writer', options, server.address),
      options: {},
    }),
  );
  const handler = serveWriter(writer.api);
  stack.use(await discovery.register(nodeInfo(services, 'writer', options, server.address)));
  const owned = stack.move();
  return {
    addresses: server.address.startsWith('memory:') ? {} : { wire: server.address },
    notReady: () => [],
    pages: new Map(),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
