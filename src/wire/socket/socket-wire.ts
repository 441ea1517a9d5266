import { DEFAULT_WIRE_LIMITS, type WireLimits } from '../wire-limits.ts';
import type { Wire, WireHandler, WirePeer, WireServer } from '../wire.ts';
import type { WireProtocolError } from './frame-channel.ts';
import { parseSocketAddress } from './socket-address.ts';
import { SocketPeer } from './socket-peer.ts';
import { SocketServer, type SocketHost } from './socket-server.ts';

export interface SocketWireOptions {
  readonly limits?: Partial<WireLimits>;
  /** Told about every connection closed for malformed bytes and every one refused; for the log. */
  readonly onProtocolError?: (event: WireProtocolError) => void;
}

/** `tcp://host:port` and `unix:///path`. The protocol is described in `frame.ts`. */
export class SocketWire implements Wire {
  readonly #host: SocketHost;
  readonly #limits: WireLimits;
  readonly #onProtocolError: (event: WireProtocolError) => void;

  constructor(host: SocketHost, options: SocketWireOptions = {}) {
    this.#host = host;
    this.#limits = { ...DEFAULT_WIRE_LIMITS, ...options.limits };
    this.#onProtocolError = options.onProtocolError ?? (() => {});
  }

  async listen(address: string, handler: WireHandler): Promise<WireServer> {
    const asked = parseSocketAddress(address);
    return await SocketServer.listen(asked, handler, this.#host, this.#limits, this.#onProtocolError);
  }

  connect(address: string): WirePeer {
    return new SocketPeer(address, this.#host, this.#limits, this.#onProtocolError);
  }
}
