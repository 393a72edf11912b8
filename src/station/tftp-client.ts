/** TFTP client of a built-in machine: reads one file, RFC 1350, with the options of RFC 2348, 2349 and 7440. */
import type { Endpoint } from '../base/endpoint.ts';
import { isSameAddress } from '../base/endpoint.ts';
import { joined } from '../base/joined.ts';
import type { Millis, Scheduler, Timer } from '../base/time.ts';
import type { UdpDatagram, UdpLayer, UdpSocket } from '../stack/udp-layer.ts';
import type { TftpOptions, TftpPacket } from '../wire/tftp.ts';
import { emitTftp, parseTftp, TFTP_ERROR, TFTP_PORT } from '../wire/tftp.ts';

export interface FetchOptions {
  /** Octets of a block; 1428 where undefined. */
  readonly blksize?: number;
  /** Blocks between two acknowledgements; 8 where undefined. */
  readonly windowsize?: number;
}

export type FetchResult =
  | { readonly kind: 'done'; readonly octets: Uint8Array; readonly packets: number }
  | { readonly kind: 'error'; readonly code: number; readonly message: string }
  | { readonly kind: 'timeout' };

const DEFAULT_BLOCK_LENGTH = 1428;
const DEFAULT_WINDOW = 8;
/** A block's length for a server without options (RFC 1350). */
const PLAIN_BLOCK_LENGTH = 512;
const TIMEOUT: Millis = 1000;
const TRIES = 5;
/** Octets that a machine keeps of one file. */
const FILE_LIMIT = 64 * 1024 * 1024;
/** Room for a request: the longest file name and the options. */
const REQUEST_LENGTH = 512;

export class TftpFetch {
  readonly #scheduler: Scheduler;
  readonly #on: (result: FetchResult) => void;
  readonly #socket: UdpSocket;
  readonly #timer: Timer;
  readonly #server: Uint8Array;
  readonly #request: TftpPacket;
  readonly #blocks: Uint8Array[] = [];
  #octets = 0;
  #packets = 0;
  #blockLength = PLAIN_BLOCK_LENGTH;
  #window = 1;
  /** Blocks since the last acknowledgement. */
  #unacknowledged = 0;
  /** An acknowledgement has told of the gap that the next block shows. */
  #hasToldGap = false;
  /** The server's half of the transfer's identifier, known with its first packet. */
  #peer: Endpoint | undefined;
  #triesLeft = TRIES;

  /** Asks `server` for `file` at once; `on` hears one result. */
  constructor(
    udp: UdpLayer,
    scheduler: Scheduler,
    server: Uint8Array,
    file: string,
    { blksize = DEFAULT_BLOCK_LENGTH, windowsize = DEFAULT_WINDOW }: FetchOptions,
    on: (result: FetchResult) => void,
  ) {
    this.#scheduler = scheduler;
    this.#on = on;
    this.#server = server;
    const options = new Map([
      ['blksize', `${blksize}`],
      ['windowsize', `${windowsize}`],
      ['tsize', '0'],
    ]);
    this.#request = { kind: 'read-request', file, mode: 'octet', options };
    this.#timer = scheduler.timer(() => this.#timedOut());
    this.#socket = udp.open(0, (datagram) => this.#receive(datagram));
    this.#ask();
  }

  #ask(): void {
    this.#send({ address: this.#server, port: TFTP_PORT }, this.#request);
    this.#timer.arm(this.#scheduler.now() + TIMEOUT);
  }

  #receive({ from, payload }: UdpDatagram): void {
    const packet = parseTftp(payload, 0, payload.length);
    if (typeof packet === 'string' || !isSameAddress(from.address, this.#server)) return;
    if (this.#peer !== undefined && this.#peer.port !== from.port) {
      this.#send(from, { kind: 'error', code: TFTP_ERROR.unknownTransfer, message: 'unknown transfer identifier' });
      return;
    }
    this.#peer ??= from;
    if (packet.kind === 'error') this.#end({ kind: 'error', code: packet.code, message: packet.message });
    else if (packet.kind === 'option-ack') this.#agreed(packet.options);
    else if (packet.kind === 'data') this.#store(packet.block, packet.payload);
  }

  #agreed(options: TftpOptions): void {
    if (this.#blocks.length > 0) return;
    const blksize = Number(options.get('blksize') ?? PLAIN_BLOCK_LENGTH);
    const windowsize = Number(options.get('windowsize') ?? 1);
    if (!(blksize >= 8) || !(windowsize >= 1) || Number(options.get('tsize') ?? 0) > FILE_LIMIT) {
      this.#give('the options are not acceptable', TFTP_ERROR.optionRefused);
      return;
    }
    this.#blockLength = blksize;
    this.#window = windowsize;
    this.#acknowledge();
  }

  #store(block: number, payload: Uint8Array): void {
    if (block !== ((this.#blocks.length + 1) & 0xffff)) {
      // RFC 7440, 4: the last block in order tells the server where to resume; one such word per gap is enough.
      if (!this.#hasToldGap) this.#acknowledge();
      this.#hasToldGap = true;
      return;
    }
    this.#hasToldGap = false;
    this.#triesLeft = TRIES;
    this.#packets++;
    this.#blocks.push(payload.slice());
    this.#octets += payload.length;
    this.#unacknowledged++;
    const isLast = payload.length < this.#blockLength;
    if (this.#octets > FILE_LIMIT) {
      this.#give('the file is too large', TFTP_ERROR.undefined);
      return;
    }
    if (isLast || this.#unacknowledged >= this.#window) this.#acknowledge();
    if (isLast) this.#end({ kind: 'done', octets: joined(this.#blocks), packets: this.#packets });
  }

  #acknowledge(): void {
    this.#unacknowledged = 0;
    if (this.#peer !== undefined) this.#send(this.#peer, { kind: 'ack', block: this.#blocks.length & 0xffff });
    this.#timer.arm(this.#scheduler.now() + TIMEOUT);
  }

  #timedOut(): void {
    if (--this.#triesLeft === 0) this.#end({ kind: 'timeout' });
    else if (this.#peer === undefined) this.#ask();
    else this.#acknowledge();
  }

  /** Tells the server that we end the transfer. */
  #give(message: string, code: number): void {
    if (this.#peer !== undefined) this.#send(this.#peer, { kind: 'error', code, message });
    this.#end({ kind: 'error', code, message });
  }

  #end(result: FetchResult): void {
    this.#timer.cancel();
    this.#socket.close();
    this.#on(result);
  }

  #send(to: Endpoint, packet: TftpPacket): void {
    const out = new Uint8Array(REQUEST_LENGTH);
    this.#socket.send(to, out.subarray(0, emitTftp(packet, out, 0)));
  }
}
