import type { Socket } from 'node:net';
import { writePacketPrefix, type Packet, type PacketLayout } from '../../util/packet.ts';
import { HEADER_BYTES, align8, writeHeader, type FrameHeader } from './frame.ts';

const SLAB_BYTES = 64 * 1024;
/** Below this a copy costs less than one more buffer in the write call. */
const COPIED_PART_BYTES_MAX = 4 * 1024;

export interface EncodedBody {
  readonly meta: string;
  readonly metaBytes: number;
  readonly packet: Packet;
  readonly layout: PacketLayout;
}

/**
 * What one connection is going to send. Small pieces are copied side by side into a slab, large parts are passed by
 * reference, and everything of one turn of the event loop goes out in one write. Parts must not change until then.
 */
export class FrameOutbox {
  readonly #socket: Socket;
  readonly #onFlushed: () => void;
  #slab: Buffer = Buffer.alloc(0);
  #sealed = 0;
  #used = 0;
  #pieces: Uint8Array[] = [];
  #piecesBytes = 0;
  #scheduled = false;

  constructor(socket: Socket, onFlushed: () => void) {
    this.#socket = socket;
    this.#onFlushed = onFlushed;
  }

  /** Bytes accepted and not yet taken by the kernel. */
  get queuedBytes(): number {
    return this.#piecesBytes + (this.#used - this.#sealed) + this.#socket.writableLength;
  }

  bytes(raw: Uint8Array): void {
    this.#reserve(raw.byteLength);
    this.#slab.set(raw, this.#used);
    this.#used += raw.byteLength;
    this.#schedule();
  }

  frame(header: FrameHeader, body: EncodedBody | null): void {
    const bodyPrefixBytes = body === null ? 0 : align8(body.metaBytes) + body.layout.partsOffset;
    this.#reserve(HEADER_BYTES + bodyPrefixBytes);
    writeHeader(this.#slab, this.#used, header);
    this.#used += HEADER_BYTES;
    if (body !== null) this.#body(body);
    this.#schedule();
  }

  #body({ meta, metaBytes, packet, layout }: EncodedBody): void {
    if (metaBytes > 0) {
      this.#slab.write(meta, this.#used, metaBytes, 'utf8');
      this.#slab.fill(0, this.#used + metaBytes, this.#used + align8(metaBytes));
      this.#used += align8(metaBytes);
    }
    writePacketPrefix(layout, packet, this.#slab, this.#used);
    this.#used += layout.partsOffset;
    for (const part of packet.parts) this.#part(part);
  }

  #part(part: Uint8Array): void {
    const size = part.byteLength;
    if (size <= COPIED_PART_BYTES_MAX) {
      this.#reserve(align8(size));
      this.#slab.set(part, this.#used);
      this.#used += size;
    } else {
      this.#seal();
      this.#pieces.push(part);
      this.#piecesBytes += size;
    }
    const padding = align8(size) - size;
    if (padding === 0) return;
    this.#reserve(padding);
    this.#slab.fill(0, this.#used, this.#used + padding);
    this.#used += padding;
  }

  #reserve(bytes: number): void {
    if (this.#slab.byteLength - this.#used >= bytes) return;
    this.#seal();
    this.#slab = Buffer.allocUnsafeSlow(Math.max(SLAB_BYTES, bytes));
    this.#sealed = 0;
    this.#used = 0;
  }

  #seal(): void {
    if (this.#used === this.#sealed) return;
    this.#pieces.push(this.#slab.subarray(this.#sealed, this.#used));
    this.#piecesBytes += this.#used - this.#sealed;
    this.#sealed = this.#used;
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    process.nextTick(() => this.#flush());
  }

  #flush(): void {
    this.#scheduled = false;
    this.#seal();
    const pieces = this.#pieces;
    this.#pieces = [];
    this.#piecesBytes = 0;
    if (this.#socket.destroyed) return;
    this.#socket.cork();
    for (const [index, piece] of pieces.entries()) {
      if (index === pieces.length - 1) this.#socket.write(piece, this.#onFlushed);
      else this.#socket.write(piece);
    }
    this.#socket.uncork();
  }
}
