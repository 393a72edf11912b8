/**
 * Trivial File Transfer Protocol, RFC 1350, with options (RFC 2347): the five packets and the option acknowledgement.
 *
 *     RRQ, WRQ   | opcode 1, 2 | file | 0 | mode | 0 | option | 0 | value | 0 | ...
 *     DATA       | opcode 3    | block (16 bits) | octets
 *     ACK        | opcode 4    | block (16 bits)
 *     ERROR      | opcode 5    | code (16 bits)  | message | 0
 *     OACK       | opcode 6    | option | 0 | value | 0 | ...
 */
import type { Defect } from './defect.ts';
import { readUint16, writeUint16 } from './octets.ts';

export const TFTP_PORT = 69;

const READ_REQUEST = 1;
const WRITE_REQUEST = 2;
const DATA = 3;
const ACK = 4;
const ERROR = 5;
const OPTION_ACK = 6;

/** Opcode and block number of a DATA packet. */
export const TFTP_DATA_HEADER_LENGTH = 4;

/** Option names in lower case, with their values as sent. */
export type TftpOptions = ReadonlyMap<string, string>;

export interface TftpRequest {
  readonly kind: 'read-request' | 'write-request';
  readonly file: string;
  /** In lower case. */
  readonly mode: string;
  readonly options: TftpOptions;
}

export type TftpPacket =
  | TftpRequest
  /** `payload` lies in the buffer that was parsed. */
  | { readonly kind: 'data'; readonly block: number; readonly payload: Uint8Array }
  | { readonly kind: 'ack'; readonly block: number }
  | { readonly kind: 'error'; readonly code: number; readonly message: string }
  | { readonly kind: 'option-ack'; readonly options: TftpOptions };

/** RFC 1350, 5, and 8 of RFC 2347. */
export const TFTP_ERROR = {
  undefined: 0,
  fileNotFound: 1,
  accessViolation: 2,
  illegalOperation: 4,
  unknownTransfer: 5,
  optionRefused: 8,
} as const;

export function parseTftp(bytes: Uint8Array, start: number, end: number): TftpPacket | Defect {
  if (end - start < 4) return 'truncated';
  const at = start + 2;
  switch (readUint16(bytes, start)) {
    case READ_REQUEST:
      return parseRequest('read-request', bytes, at, end);
    case WRITE_REQUEST:
      return parseRequest('write-request', bytes, at, end);
    case DATA:
      return { kind: 'data', block: readUint16(bytes, at), payload: bytes.subarray(at + 2, end) };
    case ACK:
      return { kind: 'ack', block: readUint16(bytes, at) };
    case ERROR: {
      // The message is for people; some peers leave out its end or all of it.
      const nul = bytes.indexOf(0, at + 2);
      const message = new TextDecoder().decode(bytes.subarray(at + 2, nul === -1 || nul > end ? end : nul));
      return { kind: 'error', code: readUint16(bytes, at), message };
    }
    case OPTION_ACK: {
      const strings = parseStrings(bytes, at, end);
      return typeof strings === 'string' ? strings : { kind: 'option-ack', options: optionsOf(strings) };
    }
    default:
      return 'bad-value';
  }
}

/** RFC 2347: a request packet has at most 512 octets. */
const MAX_REQUEST_LENGTH = 510;

function parseRequest(kind: TftpRequest['kind'], bytes: Uint8Array, at: number, end: number): TftpRequest | Defect {
  if (end - at > MAX_REQUEST_LENGTH) return 'bad-length';
  const strings = parseStrings(bytes, at, end);
  if (typeof strings === 'string') return strings;
  const [file, mode, ...options] = strings;
  if (file === undefined || mode === undefined) return 'truncated';
  return { kind, file, mode: mode.toLowerCase(), options: optionsOf(options) };
}

/** Strings that each end with NUL. */
function parseStrings(bytes: Uint8Array, start: number, end: number): string[] | Defect {
  const strings: string[] = [];
  const decoder = new TextDecoder();
  for (let at = start; at < end; ) {
    const nul = bytes.indexOf(0, at);
    if (nul === -1 || nul >= end) return 'truncated';
    strings.push(decoder.decode(bytes.subarray(at, nul)));
    at = nul + 1;
  }
  return strings;
}

/** RFC 2347: names come in any case and once each; a name without a value is no option. */
function optionsOf(strings: readonly string[]): TftpOptions {
  const options = new Map<string, string>();
  for (let i = 0; i + 1 < strings.length; i += 2) {
    const name = strings[i]!.toLowerCase();
    if (!options.has(name)) options.set(name, strings[i + 1]!);
  }
  return options;
}

/** Writes a packet and returns its end; `out` has the room. */
export function emitTftp(packet: TftpPacket, out: Uint8Array, at: number): number {
  switch (packet.kind) {
    case 'read-request':
    case 'write-request':
      writeUint16(out, at, packet.kind === 'read-request' ? READ_REQUEST : WRITE_REQUEST);
      return emitStrings([packet.file, packet.mode, ...[...packet.options].flat()], out, at + 2);
    case 'data':
      writeUint16(out, at, DATA);
      writeUint16(out, at + 2, packet.block);
      out.set(packet.payload, at + TFTP_DATA_HEADER_LENGTH);
      return at + TFTP_DATA_HEADER_LENGTH + packet.payload.length;
    case 'ack':
      writeUint16(out, at, ACK);
      writeUint16(out, at + 2, packet.block);
      return at + 4;
    case 'error':
      writeUint16(out, at, ERROR);
      writeUint16(out, at + 2, packet.code);
      return emitStrings([packet.message], out, at + 4);
    case 'option-ack':
      writeUint16(out, at, OPTION_ACK);
      return emitStrings([...packet.options].flat(), out, at + 2);
  }
}

function emitStrings(strings: readonly string[], out: Uint8Array, start: number): number {
  const encoder = new TextEncoder();
  let at = start;
  for (const string of strings) {
    const octets = encoder.encode(string);
    out.set(octets, at);
    out[at + octets.length] = 0;
    at += octets.length + 1;
  }
  return at;
}
