/** Asks a name server for the addresses of one name, RFC 1035 and RFC 3596: what a built-in machine needs of a resolver. */
import type { Random } from '../base/chance.ts';
import { isSameAddress } from '../base/endpoint.ts';
import type { Millis, Scheduler, Timer } from '../base/time.ts';
import type { UdpDatagram, UdpLayer, UdpSocket } from '../stack/udp-layer.ts';
import { decodeAnswers, encodeName } from '../wire/dns.ts';
import {
  CLASS_IN,
  DNS_FLAG,
  DNS_HEADER_LENGTH,
  DNS_MIN_UDP_LENGTH,
  DNS_PORT,
  DNS_TYPE,
  parseDnsAnswer,
  RCODE,
} from '../wire/dns-message.ts';
import { emitDnsQuery } from '../wire/dns-response.ts';
import { readUint16, writeUint16 } from '../wire/octets.ts';

export type LookupResult =
  | { readonly kind: 'found'; readonly addresses: readonly Uint8Array[] }
  /** There is no such name, or it has no address, or the server cannot tell: by the answer's code. */
  | { readonly kind: 'none'; readonly rcode: number }
  | { readonly kind: 'bad-name' | 'timeout' };

const TIMEOUT: Millis = 1000;
const TRIES = 3;

const ADDRESS_LENGTHS: Readonly<Record<number, number>> = { [DNS_TYPE.A]: 4, [DNS_TYPE.AAAA]: 16 };

export class NameLookup {
  readonly #scheduler: Scheduler;
  readonly #on: (result: LookupResult) => void;
  readonly #server: Uint8Array;
  readonly #id: number;
  readonly #question: Uint8Array;
  readonly #timer: Timer;
  readonly #socket: UdpSocket;
  #triesLeft = TRIES;

  /** Asks `server` at once; `on` hears one result, later. `question` is made by `addressQuestion`. */
  constructor(
    udp: UdpLayer,
    scheduler: Scheduler,
    random: Random,
    server: Uint8Array,
    question: Uint8Array,
    on: (result: LookupResult) => void,
  ) {
    this.#scheduler = scheduler;
    this.#on = on;
    this.#server = server;
    this.#id = Math.floor(random.next() * 0x1_0000);
    this.#question = question;
    this.#timer = scheduler.timer(() => this.#ask());
    this.#socket = udp.open(0, (datagram) => this.#receive(datagram));
    this.#ask();
  }

  #ask(): void {
    if (this.#triesLeft === 0) {
      this.#end({ kind: 'timeout' });
      return;
    }
    this.#triesLeft--;
    const out = new Uint8Array(DNS_MIN_UDP_LENGTH);
    const query = { id: this.#id, flags: DNS_FLAG.recursionDesired, question: this.#question, edns: undefined };
    const end = emitDnsQuery(query, out, 0);
    this.#socket.send({ address: this.#server, port: DNS_PORT }, out.subarray(0, end));
    this.#timer.arm(this.#scheduler.now() + TIMEOUT);
  }

  #receive({ from, payload }: UdpDatagram): void {
    if (from.port !== DNS_PORT || !isSameAddress(from.address, this.#server)) return;
    if (payload.length < DNS_HEADER_LENGTH || readUint16(payload, 0) !== this.#id) return;
    const answer = parseDnsAnswer(payload, this.#question);
    if (typeof answer === 'string') return;
    const records = answer.rcode === RCODE.noError ? decodeAnswers(answer.bytes, 0) : [];
    if (typeof records === 'string') return;
    const asked = readUint16(this.#question, this.#question.length - 4);
    const addresses = records.flatMap(({ type, data }) =>
      type === asked && data.length === ADDRESS_LENGTHS[asked] ? [data.slice()] : [],
    );
    this.#end(addresses.length > 0 ? { kind: 'found', addresses } : { kind: 'none', rcode: answer.rcode });
  }

  #end(result: LookupResult): void {
    this.#timer.cancel();
    this.#socket.close();
    this.#on(result);
  }
}

/** The question for the addresses of a name; undefined where the text is no name. */
export function addressQuestion(name: string, type: 'A' | 'AAAA'): Uint8Array | undefined {
  const octets = encodeName(name);
  if (octets === undefined) return undefined;
  const question = new Uint8Array(octets.length + 4);
  question.set(octets);
  writeUint16(question, octets.length, DNS_TYPE[type]);
  writeUint16(question, octets.length + 2, CLASS_IN);
  return question;
}
