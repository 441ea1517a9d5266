import { MishardsError } from '../errors/index.ts';
import { InProcessWire } from './in-process/in-process-wire.ts';
import type { SocketHost } from './socket/socket-server.ts';
import { SocketWire, type SocketWireOptions } from './socket/socket-wire.ts';
import type { Wire, WireHandler, WirePeer, WireServer } from './wire.ts';

export interface CreateWireOptions extends SocketWireOptions {
  readonly host: SocketHost;
}

/**
 * The wire of a process: the scheme of an address chooses the driver, `memory://`, `tcp://` or `unix://`.
 * `memory://` names are known to this wire only, so the nodes of one process share one wire.
 */
export function createWire(options: CreateWireOptions): Wire {
  return new CompositeWire(
    new InProcessWire(options.host.timers, options.limits),
    new SocketWire(options.host, options),
  );
}

class CompositeWire implements Wire {
  readonly #inProcess: Wire;
  readonly #socket: Wire;

  constructor(inProcess: Wire, socket: Wire) {
    this.#inProcess = inProcess;
    this.#socket = socket;
  }

  async listen(address: string, handler: WireHandler): Promise<WireServer> {
    return await this.#driver(address).listen(address, handler);
  }

  connect(address: string): WirePeer {
    return this.#driver(address).connect(address);
  }

  #driver(address: string): Wire {
    const scheme = /^[a-z]+(?=:\/\/)/.exec(address)?.[0];
    switch (scheme) {
      case 'memory':
        return this.#inProcess;
      case 'tcp':
      case 'unix':
        return this.#socket;
      default:
        throw new MishardsError(
          'CONFIG_INVALID',
          `address "${address}" has no scheme this version knows; use tcp://, unix:// or memory://`,
        );
    }
  }
}
