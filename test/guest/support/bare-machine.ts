import { once } from 'node:events';
import type { Socket } from 'node:net';
import { createServer } from 'node:net';
import type { FrameSink } from '../../../src/link/frame-batch.ts';
import { sliceOf } from '../../../src/link/frame-batch.ts';
import { StreamFraming } from '../../../src/link/stream-framing.ts';
import { type Fields, fieldsOf } from './frame-fields.ts';
import { arpReply, ipv4 } from './raw-frames.ts';

/** A machine without an operating system at the other end of a `stream` netdev: the test sends its frames and reads what comes. */
export class BareMachine {
  readonly mac: string;
  /** What it answers ARP for. */
  address: string;
  readonly #socket: Socket;
  readonly #waiting = new Set<(frame: Fields) => void>();
  readonly #neighbours = new Map<string, string>();
  #received: Fields[] = [];

  constructor(socket: Socket, mac: string, address: string) {
    this.#socket = socket;
    this.mac = mac;
    this.address = address;
    const sink: FrameSink = {
      push: (batch, first, end) => {
        for (let i = first; i < end; i++) this.#take(fieldsOf(sliceOf(batch, i)));
      },
    };
    const framing = new StreamFraming(sink, { dropped: () => {} }, (fault, length) => {
      throw new Error(`the peer lost its place in the stream: ${fault} ${length}`);
    });
    socket.on('data', (chunk) => {
      for (let at = 0; at < chunk.length; ) {
        const space = framing.space();
        const part = chunk.subarray(at, at + space.length);
        space.set(part);
        framing.received(part.length);
        at += part.length;
      }
    });
    socket.on('error', () => {}); // the peer's end is its test's end; `answer` says what was missing
  }

  /** As ARP told it; the gateway's own is the one that both networks give it. */
  macOf(address: string): string {
    return this.#neighbours.get(address) ?? `52:55:${hexOf(address)}`;
  }

  send(...frames: readonly Uint8Array[]): void {
    for (const frame of frames) {
      const prefix = Buffer.alloc(4);
      prefix.writeUInt32BE(frame.length);
      this.#socket.write(Buffer.concat([prefix, frame]));
    }
  }

  /** Sends, and resolves with the first frame from now on that `matches`. */
  async answer(matches: (frame: Fields) => boolean, ...frames: readonly Uint8Array[]): Promise<Fields> {
    this.#received = [];
    const answer = this.next(matches);
    this.send(...frames);
    return answer;
  }

  /** The first frame that `matches` since the last `answer`; resolves when it is there. */
  next(matches: (frame: Fields) => boolean, seconds = 15): Promise<Fields> {
    return new Promise((resolve, reject) => {
      const limit = setTimeout(() => {
        this.#waiting.delete(look);
        reject(
          new Error(`no such answer within ${seconds} s; there came ${JSON.stringify(this.#received.map(brief))}`),
        );
      }, seconds * 1000);
      const look = (frame: Fields) => {
        if (!matches(frame)) return;
        clearTimeout(limit);
        this.#waiting.delete(look);
        this.#received.splice(0, this.#received.indexOf(frame) + 1);
        resolve(frame);
      };
      this.#waiting.add(look);
      for (const frame of [...this.#received]) if (this.#waiting.has(look)) look(frame);
    });
  }

  /** What came back before the answer to `barrier`, which `matches`: for what must not be answered. */
  async before(
    matches: (frame: Fields) => boolean,
    barrier: Uint8Array,
    ...frames: readonly Uint8Array[]
  ): Promise<Fields[]> {
    this.#received = [];
    const early: Fields[] = [];
    const listen = (frame: Fields) => void early.push(frame);
    this.#waiting.add(listen);
    this.send(...frames);
    await this.answer(matches, barrier);
    this.#waiting.delete(listen);
    return early.filter((frame) => !matches(frame));
  }

  #take(frame: Fields): void {
    if (frame['arp.operation'] === '2') {
      const [mac, address] = frame['arp.sender']!.split(' ') as [string, string];
      this.#neighbours.set(address, mac);
    }
    if (frame['arp.operation'] === '1' && frame['arp.target']?.endsWith(` ${this.address}`)) {
      const [mac, address] = frame['arp.sender']!.split(' ') as [string, string];
      this.send(arpReply(this, { mac, address }));
      return;
    }
    this.#received.push(frame);
    for (const look of [...this.#waiting]) look(frame);
  }
}

/** Waits at the path for a QEMU that connects; `listening` resolves before it can. */
export async function waitForPlug(path: string): Promise<{ readonly plugged: Promise<Socket> }> {
  const server = createServer().listen(path);
  await once(server, 'listening');
  const plugged = once(server, 'connection').then(([socket]) => {
    server.close();
    return socket as Socket;
  });
  return { plugged };
}

function hexOf(address: string): string {
  return ipv4(address)
    .map((octet) => octet.toString(16).padStart(2, '0'))
    .join(':');
}

/** A frame in a few words, for a test that fails. */
function brief(frame: Fields): string {
  const names = [
    'arp.sender',
    'ip.source',
    'ip.destination',
    'udp.ports',
    'tcp.ports',
    'tcp.flags',
    'tcp.sequence',
    'icmp.type',
    'icmp.code',
  ];
  return names.flatMap((name) => frame[name] ?? []).join(' ');
}
