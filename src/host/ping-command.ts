/**
 * Echo requests by the system's `ping`, of iputils or BusyBox, which may send what we may not: one process for each. It reports the
 * answer of the real host in text, so a payload that came back is the one that was sent.
 */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import type { HostEcho, HostEchoEvents } from '../base/host-net.ts';
import { formatAddress } from '../wire/endpoint-text.ts';
import { emitIcmpv4, ICMPV4_ECHO_REQUEST, ICMPV4_HEADER_LENGTH } from '../wire/icmpv4.ts';
import { emitIcmpv6Around, ICMPV6_ECHO_REQUEST } from '../wire/icmpv6.ts';
import { addressOctets } from './address-text.ts';
import { findProgram } from './find-program.ts';

/** Processes at a time, of all guests; requests above it are lost. */
const MOST_PROCESSES = 16;
/** Seconds that one waits for an answer. */
const PATIENCE = 5;
/** Octets of text that one may print before it is not read on. */
const LONGEST_REPORT = 4096;

let running = 0;

/** The path of the system's `ping`; undefined where there is none. */
export function findPing(path?: string): string | undefined {
  return findProgram('ping', path);
}

export class PingCommandEcho implements HostEcho {
  readonly #program: string;
  readonly #family: 4 | 6;
  readonly #events: HostEchoEvents;
  readonly #children = new Set<ChildProcess>();
  #isClosed = false;

  constructor(program: string, family: 4 | 6, events: HostEchoEvents) {
    this.#program = program;
    this.#family = family;
    this.#events = events;
  }

  send(to: Uint8Array, sequence: number, payload: Uint8Array, ttl: number): void {
    const isOfFamily = (to.length === 4) === (this.#family === 4);
    if (this.#isClosed || !isOfFamily || running >= MOST_PROCESSES) return;
    const sent = payload.slice();
    const target = to.slice();
    running++;
    this.#ping(target, sent.length, Math.max(1, ttl), (report) => {
      running--;
      if (!this.#isClosed) this.#tell(report, target, sequence, sent);
    });
  }

  close(): void {
    this.#isClosed = true;
    for (const child of this.#children) child.kill('SIGKILL');
  }

  /** Calls `onReport` once, with what it printed. */
  #ping(to: Uint8Array, size: number, ttl: number, onReport: (report: string) => void): void {
    const family = this.#family === 4 ? [] : ['-6'];
    const words = [...family, '-n', '-c', '1', '-W', `${PATIENCE}`, '-t', `${ttl}`, '-s', `${size}`, formatAddress(to)];
    let child: ChildProcess;
    try {
      child = spawn(this.#program, words, {
        stdio: ['ignore', 'pipe', 'ignore'],
        env: { ...process.env, LC_ALL: 'C' },
      });
    } catch {
      queueMicrotask(() => onReport('')); // no process, no request: it is lost
      return;
    }
    this.#children.add(child);
    let report = '';
    child.stdout?.setEncoding('latin1').on('data', (text: string) => {
      if (report.length < LONGEST_REPORT) report += text;
    });
    let isTold = false;
    const done = () => {
      this.#children.delete(child);
      if (!isTold) onReport(report);
      isTold = true;
    };
    child.once('error', done);
    child.once('close', done);
  }

  #tell(report: string, to: Uint8Array, sequence: number, payload: Uint8Array): void {
    const outcome = readReport(report);
    if (outcome === undefined) return;
    if (outcome.kind === 'reply') {
      this.#events.replied(outcome.from, sequence, payload, outcome.ttl);
      return;
    }
    const quote = this.#request(sequence, payload);
    const { type, code, from: reporter } = outcome;
    this.#events.refused(sequence, { type, code, mtu: 0, reporter, to: { address: to, port: 0 }, quote });
  }

  /** As it was sent, but for what only the command knows. */
  #request(sequence: number, payload: Uint8Array): Uint8Array {
    const message = new Uint8Array(ICMPV4_HEADER_LENGTH + payload.length);
    if (this.#family === 4) {
      const header = { type: ICMPV4_ECHO_REQUEST, code: 0, identifier: 0, sequence };
      message.set(payload, emitIcmpv4(header, payload, message, 0));
    } else {
      const header = { type: ICMPV6_ECHO_REQUEST, code: 0, parameter: sequence };
      message.set(payload, emitIcmpv6Around(header, payload, 0, message, 0));
    }
    return message;
  }
}

export type PingOutcome =
  | { readonly kind: 'reply'; readonly from: Uint8Array; readonly ttl: number }
  | { readonly kind: 'error'; readonly from: Uint8Array; readonly type: number; readonly code: number };

/** What iputils prints of an error of ICMP or ICMPv6, and what it was. */
const ERRORS: readonly (readonly [RegExp, number, number])[] = [
  [/Time to live exceeded/, 11, 0],
  [/Frag reassembly time exceeded/, 11, 1],
  [/Destination Net Unreachable/, 3, 0],
  [/Destination Host Unreachable/, 3, 1],
  [/Destination Protocol Unreachable/, 3, 2],
  [/Destination Port Unreachable/, 3, 3],
  [/Destination Net Prohibited/, 3, 9],
  [/Destination Host Prohibited/, 3, 10],
  [/Packet filtered/, 3, 13],
  [/Destination unreachable: No route/, 1, 0],
  [/Destination unreachable: Administratively prohibited/, 1, 1],
  [/Destination unreachable: Beyond scope of source address/, 1, 2],
  [/Destination unreachable: Address unreachable/, 1, 3],
  [/Destination unreachable: Port unreachable/, 1, 4],
  [/Time exceeded: Hop limit/, 3, 0],
  [/Time exceeded: Defragmentation failure/, 3, 1],
];

/** Reads what `ping -c 1` printed; undefined where nothing was heard. */
export function readReport(report: string): PingOutcome | undefined {
  const reply = /^\d+ bytes from (?:\S+ \()?([\da-f:.]+)(?:%\w+)?\)?: .*\bttl=(\d+)/m.exec(report);
  const replier = addressOctets(reply?.[1] ?? '');
  if (reply !== null && replier !== undefined) return { kind: 'reply', from: replier, ttl: Number(reply[2]) };
  const error = /^From (?:\S+ \()?([\da-f.:]+?)(?:%\w+)?\)?:? icmp_seq=\d+ (.*)$/m.exec(report);
  const reporter = addressOctets(error?.[1] ?? '');
  if (error === null || reporter === undefined) return undefined;
  const known = ERRORS.find(([text]) => text.test(error[2]!));
  return known === undefined ? undefined : { kind: 'error', from: reporter, type: known[1], code: known[2] };
}
