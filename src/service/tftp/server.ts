/**
 * TFTP server, RFC 1350, for reading only: what a diskless machine boots from.
 *
 * Theory of operation. A read request gets a socket of its own, whose port is our half of the transfer's identifier; the reader's
 * address and port are the other half. A request that is repeated while its transfer begins changes nothing; any other request from
 * the same endpoint ends the transfer before it, because the reader has started anew.
 *
 * Limits: `TRANSFER_LIMIT` transfers, each with one window, one read-ahead buffer and one open file.
 */
import type { Counters } from '../../base/counters.ts';
import type { Endpoint } from '../../base/endpoint.ts';
import { isSameEndpoint } from '../../base/endpoint.ts';
import type { FileTree, ReadableFile } from '../../base/files.ts';
import type { Log } from '../../base/log.ts';
import type { Scheduler } from '../../base/time.ts';
import type { Stack } from '../../stack/stack.ts';
import type { UdpDatagram, UdpSocket } from '../../stack/udp-layer.ts';
import { formatEndpoint } from '../../wire/endpoint-text.ts';
import type { TftpPacket, TftpRequest } from '../../wire/tftp.ts';
import { emitTftp, parseTftp, TFTP_DATA_HEADER_LENGTH, TFTP_ERROR, TFTP_PORT } from '../../wire/tftp.ts';
import type { Service } from '../service.ts';
import type { TftpMode } from './file-source.ts';
import { FileSource } from './file-source.ts';
import { negotiate } from './options.ts';
import type { TransferEnd } from './transfer.ts';
import { Transfer } from './transfer.ts';

/** Transfers at a time, those whose file is being opened included. */
export const TRANSFER_LIMIT = 64;

/** Room for every packet but DATA: requests and option lists are no longer than this (RFC 2347). */
const CONTROL_LENGTH = 1024;

/** What a TFTP server needs from outside. */
export interface TftpOutside {
  readonly scheduler: Scheduler;
  readonly log: Log;
  /** Refusals by name. */
  readonly counters: Counters;
}

/** A reader and the file it asked for. */
interface Reader {
  readonly at: Endpoint;
  /** As text, `10.0.2.15:1024`. */
  readonly name: string;
  readonly request: TftpRequest;
  /** Our address that the reader knows. */
  readonly source: Uint8Array;
  /** Undefined while the file is being opened. */
  transfer?: Transfer;
}

export class TftpServer implements Service {
  readonly name = 'tftp';
  readonly #files: FileTree;
  readonly #mtu: number;
  readonly #outside: TftpOutside;
  /** By the reader's address and port. */
  readonly #readers = new Map<string, Reader>();
  #stack: Stack | undefined;
  #socket: UdpSocket | undefined;

  constructor(files: FileTree, mtu: number, outside: TftpOutside) {
    this.#files = files;
    this.#mtu = mtu;
    this.#outside = outside;
  }

  start(stack: Stack): void {
    this.#stack = stack;
    this.#socket = stack.udp.open(TFTP_PORT, (datagram) => this.#receive(datagram));
  }

  stop(): void {
    for (const reader of [...this.#readers.values()]) reader.transfer?.end({ kind: 'stopped' });
    this.#readers.clear();
    this.#socket?.close();
    this.#socket = undefined;
    this.#stack = undefined;
  }

  /** Transfers that are under way. */
  get transfers(): number {
    return this.#readers.size;
  }

  #receive(datagram: UdpDatagram): void {
    const packet = parseTftp(datagram.payload, 0, datagram.payload.length);
    if (typeof packet === 'string') {
      this.#outside.counters.add('tftp-malformed');
    } else if (packet.kind === 'read-request') {
      this.#read(packet, datagram);
    } else if (packet.kind === 'write-request') {
      this.#refuse(datagram, packet.file, TFTP_ERROR.accessViolation, 'this server is for reading only');
    } else {
      this.#outside.counters.add('tftp-unexpected');
    }
  }

  #read(request: TftpRequest, { from, to }: UdpDatagram): void {
    const name = formatEndpoint(from);
    const before = this.#readers.get(name);
    if (before !== undefined && before.request.file === request.file && before.transfer?.hasBegun !== true) {
      this.#outside.counters.add('tftp-repeated-request');
      return;
    }
    before?.transfer?.end({ kind: 'stopped' });
    this.#readers.delete(name);
    if (request.mode !== 'octet' && request.mode !== 'netascii') {
      this.#refuse({ from, to }, request.file, TFTP_ERROR.illegalOperation, 'the mode is neither octet nor netascii');
    } else if (!this.#hasRoom()) {
      this.#refuseBusy({ from, to }, request.file);
    } else {
      const reader: Reader = {
        at: { address: from.address.slice(), port: from.port },
        name,
        request,
        source: to.address.slice(),
      };
      this.#readers.set(name, reader);
      void this.#open(reader, request.mode);
    }
  }

  /** A reader that never answered is the one to give up, the oldest first. */
  #hasRoom(): boolean {
    if (this.#readers.size < TRANSFER_LIMIT) return true;
    for (const { transfer } of this.#readers.values()) {
      if (transfer === undefined || transfer.hasBegun) continue;
      transfer.end({ kind: 'stopped' });
      return true;
    }
    return false;
  }

  async #open(reader: Reader, mode: TftpMode): Promise<void> {
    let file: ReadableFile | undefined;
    try {
      file = await this.#files.open(reader.request.file);
    } catch {
      // To the reader an unreadable file is none.
      file = undefined;
    }
    if (this.#readers.get(reader.name) !== reader) {
      file?.close().catch(() => undefined);
    } else if (file === undefined) {
      this.#readers.delete(reader.name);
      this.#refuse(
        { from: reader.at, to: { address: reader.source, port: TFTP_PORT } },
        reader.request.file,
        TFTP_ERROR.fileNotFound,
        'file not found',
      );
    } else {
      this.#start(reader, file, mode);
    }
  }

  #start(reader: Reader, file: ReadableFile, mode: TftpMode): void {
    const stack = this.#stack;
    if (stack === undefined) return;
    const size = mode === 'octet' ? file.size : undefined;
    const options = negotiate(reader.request.options, this.#mtu, reader.source.length, size);
    const out = new Uint8Array(Math.max(CONTROL_LENGTH, TFTP_DATA_HEADER_LENGTH + options.blockLength));
    const socket = this.#openSocket(stack, reader);
    if (socket === undefined) {
      this.#readers.delete(reader.name);
      file.close().catch(() => undefined);
      this.#refuseBusy({ from: reader.at, to: { address: reader.source, port: TFTP_PORT } }, reader.request.file);
      return;
    }
    const transfer: Transfer = new Transfer(
      options,
      new FileSource(
        file,
        mode,
        () => transfer.fill(),
        () => transfer.end({ kind: 'read-failed' }),
      ),
      this.#outside.scheduler,
      (packet) => socket.send(reader.at, out.subarray(0, emitTftp(packet, out, 0)), { source: reader.source }),
      (end) => this.#ended(reader, socket, end),
    );
    reader.transfer = transfer;
    this.#note('tftp-read', `${reader.name} reads ${shown(reader.request.file)}`, reader, {
      size: file.size,
      options: [...options.accepted].map(([name, value]) => `${name}=${value}`).join(' '),
    });
    transfer.start();
  }

  /** Undefined where every port is taken: by clients of forwards, perhaps. */
  #openSocket(stack: Stack, reader: Reader): UdpSocket | undefined {
    try {
      const socket: UdpSocket = stack.udp.open(0, (datagram) => this.#fromReader(reader, socket, datagram));
      return socket;
    } catch {
      return undefined;
    }
  }

  #fromReader(reader: Reader, socket: UdpSocket, { from, to, payload }: UdpDatagram): void {
    const packet = parseTftp(payload, 0, payload.length);
    if (typeof packet === 'string') {
      this.#outside.counters.add('tftp-malformed');
    } else if (isSameEndpoint(from, reader.at)) {
      reader.transfer?.receive(packet);
    } else {
      this.#outside.counters.add('tftp-unknown-transfer');
      // RFC 1350, 4: a stranger is told, the transfer goes on; an error is never answered with an error.
      if (packet.kind !== 'error')
        send(socket, { from, to }, TFTP_ERROR.unknownTransfer, 'unknown transfer identifier');
    }
  }

  #ended(reader: Reader, socket: UdpSocket, end: TransferEnd): void {
    socket.close();
    if (this.#readers.get(reader.name) === reader) this.#readers.delete(reader.name);
    const file = shown(reader.request.file);
    if (end.kind === 'done') {
      this.#note('tftp-done', `${reader.name} has ${file}, ${end.octets} octets`, reader, { octets: end.octets });
    } else {
      const why = end.kind === 'peer-error' ? `error ${end.code} ${shown(end.message)}` : end.kind;
      this.#outside.counters.add(`tftp-${end.kind}`);
      this.#note('tftp-error', `the transfer of ${file} to ${reader.name} ended: ${why}`, reader, { error: why });
    }
  }

  #refuseBusy(datagram: Pick<UdpDatagram, 'from' | 'to'>, file: string): void {
    this.#outside.counters.add('tftp-busy');
    this.#refuse(datagram, file, TFTP_ERROR.undefined, 'too many transfers at a time');
  }

  /** Answers from the well-known port: no transfer begins. */
  #refuse(datagram: Pick<UdpDatagram, 'from' | 'to'>, file: string, code: number, why: string): void {
    this.#outside.counters.add(`tftp-error-${code}`);
    const name = formatEndpoint(datagram.from);
    this.#outside.log({
      event: 'tftp-error',
      message: `${name} does not get ${shown(file)}: ${why}`,
      file,
      to: name,
      error: why,
    });
    if (this.#socket !== undefined) send(this.#socket, datagram, code, why);
  }

  #note(event: string, message: string, reader: Reader, fields: Record<string, unknown>): void {
    this.#outside.log({ event, message, file: reader.request.file, to: reader.name, ...fields });
  }
}

/** An ERROR packet back to where the datagram came from. */
function send(socket: UdpSocket, { from, to }: Pick<UdpDatagram, 'from' | 'to'>, code: number, message: string): void {
  const packet: TftpPacket = { kind: 'error', code, message };
  const out = new Uint8Array(CONTROL_LENGTH);
  socket.send(from, out.subarray(0, emitTftp(packet, out, 0)), { source: to.address });
}

/** Text of a guest without what would play tricks on a terminal. */
function shown(text: string): string {
  return JSON.stringify(text.slice(0, 200));
}
