/** UDP by Node's own sockets: no ICMP errors, and datagrams may always be cut. */
import type { Socket } from 'node:dgram';
import { createSocket } from 'node:dgram';
import type { Endpoint } from '../base/endpoint.ts';
import type { DatagramOptions, HostDatagramEvents, HostDatagramSocket } from '../base/host-net.ts';
import { formatAddress } from '../wire/endpoint-text.ts';
import { addressOctets } from './address-text.ts';
import { listenError } from './listen-error.ts';
import { plainOctets } from './plain-octets.ts';

/** The longest payload of a UDP datagram over IPv4; over IPv6 it is longer, but whole packets are not. */
export const LONGEST_DATAGRAM = 65_507;
/** What Linux begins with. */
const DEFAULT_TTL = 64;
/** Octets that wait where the network is slower than who sends; datagrams beyond them are lost, as in a kernel's buffer. */
const QUEUE_LIMIT = 256 * 1024;

/** Binds, or rejects with a `HostNetError`. */
export async function bindPlainDatagrams(at: Endpoint, events: HostDatagramEvents): Promise<HostDatagramSocket> {
  const socket = new PlainDatagrams(at, events);
  if (socket.failure === undefined) return socket;
  socket.close();
  throw listenError(socket.failure, { kind: 'tcp', endpoint: at }, 'udp');
}

export function plainDatagrams(family: 4 | 6, events: HostDatagramEvents, source?: Uint8Array): HostDatagramSocket {
  const address = source ?? new Uint8Array(family === 4 ? 4 : 16);
  return new PlainDatagrams({ address, port: 0 }, events);
}

class PlainDatagrams implements HostDatagramSocket {
  /** Why it is not bound; known once it was made. */
  failure: NodeJS.ErrnoException | undefined;
  readonly #socket: Socket;
  #ttl = DEFAULT_TTL;
  #isBound = false;
  #isClosed = false;

  constructor(at: Endpoint, events: HostDatagramEvents) {
    this.#socket = createSocket({
      ...(at.address.length === 4 ? { type: 'udp4' } : { type: 'udp6', ipv6Only: true }),
      // Addresses are no names: with an answer at once, `bind` binds before it returns.
      lookup: (host, _options, callback) => callback(null, host, at.address.length === 4 ? 4 : 6),
    });
    this.#socket.on('error', (error) => {
      this.failure = error;
    });
    this.#socket.on('message', (bytes, { address, port }) => {
      const octets = addressOctets(address);
      if (octets !== undefined && !this.#isClosed) events.received(plainOctets(bytes), { address: octets, port });
    });
    this.#socket.bind({ address: formatAddress(at.address), port: at.port, exclusive: true }, () => {
      this.#isBound = true;
    });
  }

  get local(): Endpoint | undefined {
    if (!this.#isBound || this.#isClosed) return undefined;
    const { address, port } = this.#socket.address();
    return { address: addressOctets(address)!, port };
  }

  send(bytes: Uint8Array, to: Endpoint, options: DatagramOptions = {}): boolean {
    if (bytes.length > LONGEST_DATAGRAM) return false;
    if (!this.#isBound || this.#isClosed || to.port === 0) return true; // lost
    if (this.#socket.getSendQueueSize() + bytes.length > QUEUE_LIMIT) return true; // lost
    const ttl = Math.max(1, options.ttl ?? DEFAULT_TTL);
    if (ttl !== this.#ttl) {
      this.#socket.setTTL(ttl);
      this.#ttl = ttl;
    }
    this.#socket.send(Buffer.from(bytes), to.port, formatAddress(to.address), () => undefined);
    return true;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#socket.close();
  }
}
