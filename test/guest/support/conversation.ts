/** One TCP conversation of a bare machine, which says and hears one segment at a time. Numbers in what is heard count from 0, the SYN. */
import type { BareMachine } from './bare-machine.ts';
import { towards } from './dialogue.ts';
import type { Fields } from './frame-fields.ts';
import { expectAlike, expectAllAlike } from './intended-differences.ts';
import * as raw from './raw-frames.ts';

const OWN_START = 5000;

export class Conversation {
  readonly #machine: BareMachine;
  readonly #peer: string;
  readonly #via: string;
  readonly #own: number;
  #peerPort: number;
  #next = OWN_START;
  #peerStart: number | undefined;
  #heard = 0;
  /** The peer's timestamp, where it sends them. */
  #timestamp: number | undefined;

  /** With `peer`'s port, from the machine's port `own`; frames go to the MAC of `via`. */
  constructor(machine: BareMachine, peer: string, port: number, own: number, via = peer) {
    this.#machine = machine;
    this.#peer = peer;
    this.#peerPort = port;
    this.#own = own;
    this.#via = via;
  }

  /** Calls: a SYN as Linux sends it; what came back. */
  async call(): Promise<Fields> {
    const answer = this.#machine.answer((frame) => this.#isOurs(frame), this.#segment(raw.SYN));
    this.#next++;
    return this.#hear(await answer);
  }

  /** A SYN has come to our port, from whatever port of the peer's. */
  async called(): Promise<Fields> {
    const isCall = (frame: Fields) =>
      frame['tcp.flags'] === 'SYN' &&
      frame['ip.source'] === this.#peer &&
      frame['tcp.ports']?.endsWith(` ${this.#own}`) === true;
    const syn = await this.#machine.next(isCall);
    this.#peerPort = Number(syn['tcp.ports']!.split(' ')[0]);
    return this.#hear(syn);
  }

  /** Answers a call; resolves with the acknowledgment. */
  accept(): Promise<Fields> {
    const answer = this.#answer(() => true, this.#segment(raw.SYN | raw.ACK));
    this.#next++;
    return answer;
  }

  refuse(): void {
    this.#machine.send(this.#segment(raw.RST | raw.ACK));
  }

  acknowledge(): void {
    this.#machine.send(this.#segment(raw.ACK));
  }

  say(text: string): void {
    this.#machine.send(this.#segment(raw.ACK | raw.PSH, raw.ascii(text)));
    this.#next += text.length;
  }

  finish(): void {
    this.#machine.send(this.#segment(raw.ACK | raw.FIN));
    this.#next++;
  }

  reset(): void {
    this.#machine.send(this.#segment(raw.RST | raw.ACK));
  }

  /** The next segment with payload. */
  async payload(): Promise<Fields> {
    return this.#hear(await this.#machine.next((frame) => this.#isOurs(frame) && frame['tcp.payload'] !== ''));
  }

  /** The next segment with this flag. */
  async flagged(flag: 'FIN' | 'RST'): Promise<Fields> {
    return this.#hear(await this.#machine.next((frame) => this.#isOurs(frame) && frame['tcp.flags']!.includes(flag)));
  }

  async #answer(matches: (frame: Fields) => boolean, ...frames: readonly Uint8Array[]): Promise<Fields> {
    return this.#hear(await this.#machine.answer((frame) => this.#isOurs(frame) && matches(frame), ...frames));
  }

  #isOurs(frame: Fields): boolean {
    return frame['ip.source'] === this.#peer && frame['tcp.ports'] === `${this.#peerPort} ${this.#own}`;
  }

  #segment(flags: number, payload: readonly number[] = []): Uint8Array {
    return raw.tcpFrame(towards(this.#machine, this.#peer, this.#via), {
      sourcePort: this.#own,
      destinationPort: this.#peerPort,
      sequence: this.#next,
      acknowledgment: flags & raw.ACK ? ((this.#peerStart ?? 0) + this.#heard) >>> 0 : 0,
      flags,
      options: this.#options(flags),
      payload,
    });
  }

  #options(flags: number): number[] {
    if (flags & raw.SYN) return raw.linuxSynOptions(this.#timestamp ?? 0);
    return this.#timestamp === undefined ? [] : raw.timestampOption(this.#timestamp);
  }

  /** The port of a peer that called is its own business, and a reset of what never was has no numbers. */
  #hear(segment: Fields): Fields {
    const sequence = Number(segment['tcp.sequence']);
    const flags = segment['tcp.flags']!;
    if (flags.includes('SYN')) this.#peerStart = sequence;
    const start = this.#peerStart ?? sequence;
    const length =
      segment['tcp.payload']!.length / 2 + (flags.includes('SYN') ? 1 : 0) + (flags.includes('FIN') ? 1 : 0);
    this.#heard = Math.max(this.#heard, ((sequence - start) >>> 0) + length);
    const [timestamp, echo] = segment['tcp.option.timestamps']?.split(' ') ?? [];
    if (timestamp !== undefined) this.#timestamp = Number(timestamp);
    return {
      ...segment,
      ...(echo !== undefined && { 'tcp.option.timestamps': `echo ${echo}` }),
      'tcp.ports': `* ${this.#own}`,
      'tcp.sequence': this.#peerStart === undefined ? String(sequence) : String((sequence - start) >>> 0),
      ...('tcp.acknowledgment' in segment && {
        'tcp.acknowledgment': String(Number(segment['tcp.acknowledgment']) - OWN_START),
      }),
    };
  }
}

/** Calls, says `hello`, hears the answer and finishes; what was heard. */
export async function shout(conversation: Conversation): Promise<Fields[]> {
  const heard = [await conversation.call()];
  conversation.acknowledge();
  conversation.say('hello');
  heard.push(await conversation.payload());
  conversation.acknowledge();
  conversation.finish();
  heard.push(await conversation.flagged('FIN'));
  conversation.acknowledge();
  return heard;
}

/** Talk that began with a SYN is alike but for what TCP negotiates. */
export function expectTalkAlike({ libslirp, vmlan }: { libslirp: readonly Fields[]; vmlan: readonly Fields[] }): void {
  expectAlike({ libslirp: libslirp[0]!, vmlan: vmlan[0]! }, 'tcp-options', 'tcp-dont-fragment');
  expectAllAlike(
    { libslirp: libslirp.slice(1), vmlan: vmlan.slice(1) },
    ...(['tcp-options', 'tcp-dont-fragment', 'tcp-window'] as const),
  );
}
