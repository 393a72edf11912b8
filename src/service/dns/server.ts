/**
 * The name server of a network: it answers for the machines of its network and for the lab file's records, and asks the host's name
 * servers about the rest.
 *
 * Theory of operation. Each query is judged (its form, its class, who asks), then answered from the local zone, or handed to the
 * forwarder, which answers at once from its cache. Answers to datagrams are as long as the client takes them and one packet of the
 * network carries: the path is this one link, whose MTU is known, so the 1232 octets that suit unknown paths need not bound them. What is
 * longer is truncated, and the client comes again over TCP (`streams.ts`).
 *
 * Limits: those of the forwarder's questions and of the cache, of connections, and of queries of one connection. Only machines of the
 * network are answered, so the server reflects nothing to others.
 */
import type { Random } from '../../base/chance.ts';
import type { Counters } from '../../base/counters.ts';
import type { HostNet } from '../../base/host-net.ts';
import type { Log } from '../../base/log.ts';
import type { HostResolvers } from '../../base/resolvers.ts';
import type { Scheduler } from '../../base/time.ts';
import type { Stack } from '../../stack/stack.ts';
import type { UdpDatagram, UdpSocket } from '../../stack/udp-layer.ts';
import { decodeAnswers, encodeName } from '../../wire/dns.ts';
import type { DnsQuery } from '../../wire/dns-message.ts';
import {
  CLASS_IN,
  DNS_FLAG,
  DNS_HEADER_LENGTH,
  DNS_MAX_LENGTH,
  DNS_MIN_UDP_LENGTH,
  DNS_PORT,
  DNS_TYPE,
  dnsFlags,
  opcodeOf,
  parseDnsQuery,
  RCODE,
  RCODE_BAD_VERSION,
} from '../../wire/dns-message.ts';
import { type DnsSections, emitDnsAnswer, emitDnsFailure, emitDnsSections } from '../../wire/dns-response.ts';
import { IPV4_HEADER_LENGTH } from '../../wire/ipv4.ts';
import { type Ipv4Interface, ipv4Octets } from '../../wire/ipv4-address.ts';
import { writeUint16 } from '../../wire/octets.ts';
import { UDP_HEADER_LENGTH } from '../../wire/udp.ts';
import type { Service } from '../service.ts';
import { ageOf, type CachedAnswer } from './cache.ts';
import type { DnsClient } from './client.ts';
import type { DnsConfig, LabNames } from './dns-config.ts';
import { Forwarder, type ForwarderStatistics } from './forwarder.ts';
import { type LocalAnswer, LocalZone } from './local-zone.ts';
import { DnsStreams } from './streams.ts';

/** What a name server needs from outside. */
export interface DnsOutside {
  readonly net: HostNet;
  /** Who is asked where the configuration names nobody. */
  readonly resolvers: HostResolvers;
  readonly scheduler: Scheduler;
  readonly random: Random;
  /** Queries and what became of them, by name. */
  readonly counters: Counters;
  readonly log: Log;
}

export interface DnsStatistics extends ForwarderStatistics {
  /** Of clients, over TCP. */
  readonly connections: number;
}

/** What TCP puts before each message. */
const LENGTH_PREFIX = 2;

const FAILED: DnsSections = { rcode: RCODE.serverFailure, isAuthoritative: false, answers: [], authorities: [] };

export class DnsServer implements Service {
  readonly name = 'dns';
  readonly #address: Uint8Array;
  readonly #outside: DnsOutside;
  readonly #interface: Ipv4Interface;
  readonly #names: LabNames;
  #zone: LocalZone;
  #forwarder: Forwarder;
  readonly #streams: DnsStreams;
  /** The answer that is being written. */
  readonly #out = new Uint8Array(LENGTH_PREFIX + DNS_MAX_LENGTH + 16);
  #stack: Stack | undefined;
  #socket: UdpSocket | undefined;
  #udpLimit = DNS_MIN_UDP_LENGTH;

  constructor(config: DnsConfig, at: Ipv4Interface, names: LabNames, outside: DnsOutside) {
    this.#address = ipv4Octets(config.address);
    this.#outside = outside;
    this.#interface = at;
    this.#names = names;
    this.#zone = this.#zoneOf(config);
    this.#forwarder = new Forwarder(config, outside);
    this.#streams = new DnsStreams(outside, (bytes, client) => this.#query(bytes, client));
  }

  /** Answers by this from now on, at the same address. Questions that wait for other servers are asked again by who asked. */
  configure(config: DnsConfig): void {
    this.#zone = this.#zoneOf(config);
    this.#forwarder.stop();
    this.#forwarder = new Forwarder(config, this.#outside);
  }

  #zoneOf(config: DnsConfig): LocalZone {
    const zone = new LocalZone(config, this.#interface, this.#names);
    for (const { type, name } of zone.unusable)
      this.#outside.log({
        event: 'dns-record-unusable',
        message: `the ${type} record of ${name} cannot be written`,
        record: name,
      });
    return zone;
  }

  start(stack: Stack): void {
    this.#udpLimit = Math.max(DNS_MIN_UDP_LENGTH, stack.mtu - IPV4_HEADER_LENGTH - UDP_HEADER_LENGTH);
    this.#socket = stack.udp.open(DNS_PORT, (datagram) => this.#receive(datagram), { address: this.#address });
    this.#stack = stack;
    this.#streams.start(stack, this.#address);
  }

  stop(): void {
    this.#socket?.close();
    this.#socket = undefined;
    this.#streams.stop();
    this.#forwarder.stop();
  }

  statistics(): DnsStatistics {
    return { ...this.#forwarder.statistics(), connections: this.#streams.size };
  }

  #receive({ from, payload }: UdpDatagram): void {
    if (from.port === 0 || this.#stack?.leadsTo(from.address) !== true) {
      this.#outside.counters.add('dns-off-link');
      return;
    }
    const to = { address: from.address.slice(), port: from.port };
    this.#query(payload, {
      limit: this.#udpLimit,
      isStream: false,
      answer: (framed) => this.#socket?.send(to, framed.subarray(LENGTH_PREFIX), { source: this.#address }),
    });
  }

  /** Answers a message of a client, or drops it: false. */
  #query(bytes: Uint8Array, client: DnsClient): boolean {
    const { counters } = this.#outside;
    counters.add('dns-queries');
    if (bytes.length < DNS_HEADER_LENGTH) {
      counters.add('dns-malformed');
      return false;
    }
    const flags = dnsFlags(bytes, 0);
    if ((flags & DNS_FLAG.response) !== 0) {
      // An answer to an answer would be the first of many.
      counters.add('dns-not-a-query');
      return false;
    }
    if (opcodeOf(flags) !== 0) {
      counters.add('dns-not-implemented');
      this.#refuse(bytes, RCODE.notImplemented, client);
      return true;
    }
    const query = parseDnsQuery(bytes, 0, bytes.length);
    if (typeof query === 'string') {
      counters.add('dns-malformed');
      this.#refuse(bytes, RCODE.formatError, client);
    } else {
      this.#resolve(query, client);
    }
    return true;
  }

  #resolve(query: DnsQuery, client: DnsClient): void {
    const { counters } = this.#outside;
    const refusal = refusalOf(query);
    if (refusal !== undefined) {
      counters.add('dns-refused');
      this.#say({ ...FAILED, rcode: refusal }, query, client);
      return;
    }
    const local = this.#zone.find(query.name, query.type);
    if (local === undefined) {
      const { edns } = query;
      this.#forwarder.ask({ ...query, isDnssecOk: edns?.isDnssecOk === true }, (answer) =>
        this.#pass(answer, query, client),
      );
    } else if (local.onward === undefined) {
      counters.add('dns-local');
      this.#say(local, query, client);
    } else {
      this.#askOnward(local, local.onward, query, client);
    }
  }

  /** An alias leads out of the zone: what it leads to is added. */
  #askOnward(local: LocalAnswer, onward: string, query: DnsQuery, client: DnsClient): void {
    const name = encodeName(onward);
    if (name === undefined) {
      this.#say(FAILED, query, client);
      return;
    }
    const question = new Uint8Array(name.length + 4);
    question.set(name);
    writeUint16(question, name.length, query.type);
    writeUint16(question, name.length + 2, query.class);
    this.#outside.counters.add('dns-local');
    this.#forwarder.ask({ ...query, name: onward, question, isDnssecOk: false }, (cached) => {
      if (cached === undefined) {
        this.#say(FAILED, query, client);
        return;
      }
      const { elapsed } = ageOf(cached, this.#outside.scheduler.now());
      const rest = decodeAnswers(cached.answer.bytes, elapsed);
      if (typeof rest === 'string') this.#say(FAILED, query, client);
      else this.#say({ ...local, rcode: cached.answer.rcode, answers: [...local.answers, ...rest] }, query, client);
    });
  }

  #pass(cached: CachedAnswer | undefined, query: DnsQuery, client: DnsClient): void {
    if (cached === undefined) {
      this.#say(FAILED, query, client);
      return;
    }
    const age = ageOf(cached, this.#outside.scheduler.now());
    const limit = limitFor(query, client);
    this.#send(emitDnsAnswer(cached.answer, age, query, limit, this.#out, LENGTH_PREFIX), client);
  }

  #say(sections: DnsSections, query: DnsQuery, client: DnsClient): void {
    const limit = limitFor(query, client);
    this.#send(emitDnsSections(sections, query, limit, this.#out, LENGTH_PREFIX), client);
  }

  #refuse(bytes: Uint8Array, rcode: number, client: DnsClient): void {
    this.#send(emitDnsFailure(bytes, 0, rcode, this.#out, LENGTH_PREFIX), client);
  }

  #send(end: number, client: DnsClient): void {
    writeUint16(this.#out, 0, end - LENGTH_PREFIX);
    if ((dnsFlags(this.#out, LENGTH_PREFIX) & DNS_FLAG.truncated) !== 0) this.#outside.counters.add('dns-truncated');
    client.answer(this.#out.subarray(0, end));
  }
}

/** RFC 6891, 6.2.5: a client without EDNS takes 512 octets, and one that says less takes them too. */
function limitFor({ edns }: DnsQuery, { limit, isStream }: DnsClient): number {
  if (isStream) return DNS_MAX_LENGTH;
  return Math.min(limit, Math.max(DNS_MIN_UDP_LENGTH, edns?.udpLength ?? 0));
}

/** Why a well-formed query is not answered. Zones are not transferred. */
function refusalOf(query: DnsQuery): number | undefined {
  if (query.edns !== undefined && query.edns.version !== 0) return RCODE_BAD_VERSION;
  const isTransfer = query.type === DNS_TYPE.AXFR || query.type === DNS_TYPE.IXFR;
  return query.class !== CLASS_IN || isTransfer || query.type === DNS_TYPE.OPT ? RCODE.refused : undefined;
}
