/** Echo requests of a station that wait for their answers, of one family. `Address` is whatever the family uses as a map key. */
import type { Random } from '../base/chance.ts';
import type { Millis, Scheduler, Timer } from '../base/time.ts';

export interface PingOptions {
  /** Octets behind the ICMP header; 56 where undefined. */
  readonly payloadLength?: number | undefined;
  readonly timeout: Millis;
}

export type PingResult =
  | { readonly kind: 'reply'; readonly rtt: Millis }
  | { readonly kind: 'timeout' }
  /** `code` is that of the family's destination unreachable: 0 no route, of IPv4 1 and of IPv6 3 nobody has the address, others as routers report them. */
  | { readonly kind: 'unreachable'; readonly code: number };

interface Ping<Address> {
  readonly to: Address;
  readonly sentAt: Millis;
  readonly timer: Timer;
  readonly on: (result: PingResult) => void;
}

const DEFAULT_LENGTH = 56;

export class Pings<Address> {
  readonly #scheduler: Scheduler;
  readonly #identifier: number;
  readonly #maxLength: number;
  /** By sequence number. */
  readonly #pings = new Map<number, Ping<Address>>();
  #sequence = 0;

  /** `maxLength`: octets behind the ICMP header that a packet has room for. */
  constructor(scheduler: Scheduler, random: Random, maxLength: number) {
    this.#scheduler = scheduler;
    this.#identifier = Math.floor(random.next() * 0x1_0000);
    this.#maxLength = maxLength;
  }

  /** Asks by `send`, which says whether a route leads to `to`. `on` hears exactly one result, at once where none does. */
  ask(
    to: Address,
    { payloadLength = DEFAULT_LENGTH, timeout }: PingOptions,
    on: (result: PingResult) => void,
    send: (identifier: number, sequence: number, payload: Uint8Array) => boolean,
  ): void {
    if (payloadLength > this.#maxLength)
      throw new RangeError(`a ping carries up to ${this.#maxLength} octets, not ${payloadLength}`);
    this.#sequence = (this.#sequence + 1) & 0xffff;
    const sequence = this.#sequence;
    this.#finish(sequence, { kind: 'timeout' });
    const now = this.#scheduler.now();
    const timer = this.#scheduler.timer(() => this.#finish(sequence, { kind: 'timeout' }));
    timer.arm(now + timeout);
    this.#pings.set(sequence, { to, sentAt: now, timer, on });
    const payload = Uint8Array.from({ length: payloadLength }, (_, i) => i & 0xff);
    if (!send(this.#identifier, sequence, payload)) this.#finish(sequence, { kind: 'unreachable', code: 0 });
  }

  /** An echo reply came; false where it answers nothing. */
  reply(from: Address, identifier: number, sequence: number): boolean {
    const ping = this.#find(from, identifier, sequence);
    if (ping === undefined) return false;
    this.#finish(sequence, { kind: 'reply', rtt: this.#scheduler.now() - ping.sentAt });
    return true;
  }

  /** An error came about an echo request to `to`; false where it is none of ours. */
  fail(to: Address, identifier: number, sequence: number, code: number): boolean {
    if (this.#find(to, identifier, sequence) === undefined) return false;
    this.#finish(sequence, { kind: 'unreachable', code });
    return true;
  }

  #find(to: Address, identifier: number, sequence: number): Ping<Address> | undefined {
    const ping = this.#pings.get(sequence);
    return ping !== undefined && identifier === this.#identifier && ping.to === to ? ping : undefined;
  }

  #finish(sequence: number, result: PingResult): void {
    const ping = this.#pings.get(sequence);
    if (ping === undefined) return;
    this.#pings.delete(sequence);
    ping.timer.cancel();
    ping.on(result);
  }
}
