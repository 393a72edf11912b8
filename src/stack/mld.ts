/**
 * The groups of a station, told to switches and routers that pass multicast only where somebody listens: multicast listener discovery,
 * the listener's part (RFC 3810, 6; RFC 2710, 4 towards a querier of version 1). All sources of a group are wanted, always.
 *
 * Unasked reports begin with `start`, because a stack whose addresses nobody configured is silent. Any query about a group of ours is
 * answered with all of them: more than was asked, and one timer for all. All-nodes is never reported (RFC 3810, 6).
 */
import type { Random } from '../base/chance.ts';
import type { Millis, Scheduler, Timer } from '../base/time.ts';
import type { DropReason } from '../link/drops.ts';
import { sealIcmpv6 } from '../wire/icmpv6.ts';
import { ipv6PseudoHeaderSum, NEXT_HEADER_ICMPV6 } from '../wire/ipv6.ts';
import type { Ipv6 } from '../wire/ipv6-address.ts';
import { ALL_NODES, ALL_ROUTERS, ipv6Key, isSameIpv6 } from '../wire/ipv6-address.ts';
import { NEXT_HEADER_HOP_BY_HOP } from '../wire/ipv6-extensions.ts';
import {
  emitMldReport,
  emitMldV1,
  MLD_HOP_LIMIT,
  MLD_MESSAGE_START,
  MLD_QUERY,
  MLD_ROUTERS,
  parseMldQuery,
} from '../wire/mld.ts';
import type { Ipv6Addressing } from './ipv6-addressing.ts';
import type { IncomingIpv6 } from './ipv6-input.ts';
import type { Ipv6Output } from './ipv6-output.ts';

/** RFC 3810, 9.11: UNSOLICITED_REPORT_INTERVAL; a change is told twice (9.1). */
const REPEAT_INTERVAL: Millis = 1000;
/** RFC 3810, 9.12: how long a querier of version 1 is remembered. */
const OLDER_QUERIER_TIME: Millis = 260_000;
const NEVER: Millis = Number.POSITIVE_INFINITY;
const NOTHING = new Uint8Array(0);

export class Mld {
  readonly #scheduler: Scheduler;
  readonly #random: Random;
  readonly #addressing: Ipv6Addressing;
  readonly #output: Ipv6Output;
  readonly #answer: Timer;
  readonly #repetition: Timer;
  #answerDue: Millis = NEVER;
  #isStarted = false;
  /** What was told last, by `ipv6Key`, and what of it is to be told again. */
  #told: ReadonlyMap<string, Ipv6> = new Map();
  #joins: readonly Ipv6[] = [];
  #leaves: readonly Ipv6[] = [];
  #olderQuerierUntil: Millis = Number.NEGATIVE_INFINITY;

  constructor(scheduler: Scheduler, random: Random, addressing: Ipv6Addressing, output: Ipv6Output) {
    this.#scheduler = scheduler;
    this.#random = random;
    this.#addressing = addressing;
    this.#output = output;
    this.#answer = scheduler.timer(() => this.#tellAll());
    this.#repetition = scheduler.timer(() => this.#tellChanges());
    addressing.onGroups = () => this.#regroup();
  }

  /** Reports what the station is in, and from now on each change. */
  start(): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    this.#regroup();
  }

  get #groups(): readonly Ipv6[] {
    return this.#addressing.groups.filter((group) => !isSameIpv6(group, ALL_NODES));
  }

  #regroup(): void {
    if (!this.#isStarted) return;
    const now = new Map(this.#groups.map((group) => [ipv6Key(group), group]));
    this.#joins = [...now].filter(([key]) => !this.#told.has(key)).map(([, group]) => group);
    this.#leaves = [...this.#told].filter(([key]) => !now.has(key)).map(([, group]) => group);
    this.#told = now;
    if (this.#joins.length + this.#leaves.length === 0) return;
    this.#tellChanges();
    this.#repetition.arm(this.#scheduler.now() + this.#random.next() * REPEAT_INTERVAL);
  }

  #tellChanges(): void {
    const isOlder = this.#hasOlderQuerier;
    if (isOlder) {
      for (const group of this.#joins) this.#send(emitMldV1('report', group), group);
      for (const group of this.#leaves) this.#send(emitMldV1('done', group), ALL_ROUTERS);
    } else {
      if (this.#joins.length > 0) this.#send(emitMldReport('joins', this.#joins), MLD_ROUTERS);
      if (this.#leaves.length > 0) this.#send(emitMldReport('leaves', this.#leaves), MLD_ROUTERS);
    }
  }

  get #hasOlderQuerier(): boolean {
    return this.#scheduler.now() < this.#olderQuerierUntil;
  }

  /** Takes a message of a type of its own, its checksum being right; says why where it was not taken. */
  receive({ batch, ip }: IncomingIpv6, type: number): DropReason | undefined {
    // Reports of others: only a querier needs them.
    if (type !== MLD_QUERY) return 'mld-unused';
    const query = parseMldQuery(batch.bytes, ip);
    if (typeof query === 'string') return 'mld-malformed';
    if (query.version === 1) this.#olderQuerierUntil = this.#scheduler.now() + OLDER_QUERIER_TIME;
    if (query.group !== undefined && !this.#addressing.isJoined(query.group)) return 'mld-unused';
    this.#answerDue = Math.min(this.#answerDue, this.#scheduler.now() + this.#random.next() * query.maxResponse);
    this.#answer.arm(this.#answerDue);
    return undefined;
  }

  #tellAll(): void {
    this.#answerDue = NEVER;
    const groups = this.#groups;
    if (this.#hasOlderQuerier) for (const group of groups) this.#send(emitMldV1('report', group), group);
    else this.#send(emitMldReport('is-joined', groups), MLD_ROUTERS);
  }

  #send(packet: Uint8Array, destination: Ipv6): void {
    const source = this.#addressing.linkLocal;
    const length = packet.length - MLD_MESSAGE_START;
    const sum = ipv6PseudoHeaderSum(source, destination, NEXT_HEADER_ICMPV6, length);
    sealIcmpv6(packet, MLD_MESSAGE_START, packet.length, sum);
    const fields = { source, destination, nextHeader: NEXT_HEADER_HOP_BY_HOP, hopLimit: MLD_HOP_LIMIT };
    this.#output.send(fields, packet, NOTHING);
  }
}
