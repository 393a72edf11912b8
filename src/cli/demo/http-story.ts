/** Conversations over TCP in words, as far as they are HTTP: one request after the other, and answers that say how long they are. */
import { headEnd, headerOf } from '../../station/http-head.ts';
import type { Ipv4View } from '../../wire/ipv4.ts';
import { formatIpv4 } from '../../wire/ipv4-address.ts';
import { ACK, RST, SYN, TcpView } from '../../wire/tcp.ts';

/** One direction of a connection. */
interface Direction {
  /** The sequence number that comes next. */
  next: number;
  /** What is not told yet. */
  text: string;
  /** Octets of the answer's body that are still missing. */
  missing: number | undefined;
  /** Of an answer whose body is on its way. */
  octets: number;
  status: string;
}

export class HttpStory {
  /** Pages that arrived whole, `alice /page.txt`. */
  readonly pages = new Set<string>();
  readonly #tcp = new TcpView();
  readonly #directions = new Map<string, Direction>();
  /** What was asked for last, by the direction of the answer. */
  readonly #asked = new Map<string, string>();

  /** A segment's sentence. `from` and `to` are names. */
  hear(bytes: Uint8Array, ip: Ipv4View, from: string, to: string): string | undefined {
    const tcp = this.#tcp;
    if (tcp.bind(bytes, ip.payloadStart, ip.payloadEnd) !== undefined) return undefined;
    const { flags, sequence } = tcp;
    const source = `${formatIpv4(ip.source)}:${tcp.sourcePort}`;
    const destination = `${formatIpv4(ip.destination)}:${tcp.destinationPort}`;
    const there = `${source} ${destination}`;
    const back = `${destination} ${source}`;
    if ((flags & SYN) !== 0) {
      const isAgain = this.#directions.get(there)?.next === (sequence + 1) >>> 0;
      this.#directions.set(there, { next: (sequence + 1) >>> 0, text: '', missing: undefined, octets: 0, status: '' });
      return (flags & ACK) !== 0 || isAgain
        ? undefined
        : `${from} connects to ${to}, port ${tcp.destinationPort} (TCP)`;
    }
    if ((flags & RST) !== 0) {
      const isRefusal = this.#directions.has(back) && !this.#directions.has(there);
      this.#directions.delete(there);
      this.#directions.delete(back);
      return isRefusal ? `${from} refuses the connection of ${to} (TCP)` : undefined;
    }
    const direction = this.#directions.get(there);
    if (direction === undefined) return undefined;
    const told = this.#take(direction, bytes.subarray(tcp.payloadStart, tcp.payloadEnd), sequence);
    if (!told) return undefined;
    return this.#asked.has(there) ? this.#answer(there, direction, to) : this.#question(back, direction, from, to);
  }

  /** Whether the segment brings what comes next; what was sent again brings nothing. */
  #take(direction: Direction, payload: Uint8Array, sequence: number): boolean {
    if (sequence !== direction.next || payload.length === 0) return false;
    direction.next = (direction.next + payload.length) >>> 0;
    if (direction.missing === undefined) direction.text += LATIN1.decode(payload);
    else {
      direction.octets += payload.length;
      direction.missing -= payload.length;
    }
    return true;
  }

  #question(back: string, direction: Direction, from: string, to: string): string | undefined {
    const path = /^GET (\S+) HTTP/.exec(direction.text)?.[1];
    if (path === undefined || headEnd(octetsOf(direction.text)) === undefined) return undefined;
    direction.text = '';
    this.#asked.set(back, path);
    return `${from} asks ${to} for ${path} (HTTP)`;
  }

  #answer(there: string, direction: Direction, to: string): string | undefined {
    if (direction.missing === undefined) {
      const bodyStart = headEnd(octetsOf(direction.text));
      if (bodyStart === undefined) return undefined;
      const length = Number(headerOf(direction.text.slice(0, bodyStart), 'content-length'));
      direction.status = direction.text.split(' ', 2)[1] ?? '';
      direction.octets = direction.text.length - bodyStart;
      direction.missing = length - direction.octets;
      direction.text = '';
    }
    if (direction.missing > 0 || Number.isNaN(direction.missing)) return undefined;
    const path = this.#asked.get(there)!;
    const { octets, status } = direction;
    this.#asked.delete(there);
    direction.missing = undefined;
    if (status === '200') this.pages.add(`${to} ${path}`);
    return `${to} has all ${octets} octets of ${path} (HTTP ${status})`;
  }
}

const LATIN1 = new TextDecoder('latin1');

function octetsOf(text: string): Uint8Array {
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0) & 0xff);
}
