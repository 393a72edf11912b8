import * as packets from '@leichtgewicht/dns-packet';
import { SeededRandom } from '../../src/base/chance.ts';
import { Counters } from '../../src/base/counters.ts';
import type { Endpoint } from '../../src/base/endpoint.ts';
import type { HostDatagramSocket } from '../../src/base/host-net.ts';
import type { LogEntry } from '../../src/base/log.ts';
import type { DnsConfig, LabNames } from '../../src/service/dns/dns-config.ts';
import { DnsServer } from '../../src/service/dns/server.ts';
import { Stack } from '../../src/stack/stack.ts';
import type { UdpSocket } from '../../src/stack/udp-layer.ts';
import { formatIpv4, type Ipv4 } from '../../src/wire/ipv4-address.ts';
import { A, B } from './frames.ts';
import { ManualScheduler } from './manual-scheduler.ts';
import { MemoryHostNet } from './memory-host-net.ts';
import { ip, octets } from './stack-peer.ts';

export type Packet = packets.Packet;

/** What an upstream says to a query: a packet, of which id and question are filled in, octets, or nothing. */
export type Script = (query: Packet, bytes: Uint8Array) => Packet | Uint8Array | undefined;

export const RESOLVER: Endpoint = { address: octets('192.0.2.53'), port: 53 };
export const SECOND: Endpoint = { address: octets('192.0.2.54'), port: 53 };

export const MACHINES: Readonly<Record<string, string>> = { web: '10.0.2.15', db: '10.0.2.16' };

/** A name server at 10.0.2.3 of 10.0.2.2/24, a machine at 10.0.2.100 that asks it, and the host's network in memory. */
export class DnsBench {
  readonly scheduler = new ManualScheduler();
  readonly counters = new Counters();
  readonly net = new MemoryHostNet();
  readonly entries: LogEntry[] = [];
  readonly server: DnsServer;
  /** What the host's own configuration names. */
  resolvers: Endpoint[] = [RESOLVER];
  machines: Record<string, string> = { ...MACHINES };
  readonly near: Stack;
  readonly far: Stack;
  readonly #socket: UdpSocket;
  #heard: Uint8Array[] = [];
  #id = 100;

  constructor(config: Partial<DnsConfig> = {}, mtu = 1500) {
    const { scheduler, counters, net } = this;
    this.near = new Stack({ mac: A, mtu, scheduler, random: new SeededRandom(1) });
    this.far = new Stack({ mac: B, mtu, scheduler, random: new SeededRandom(2) });
    const at = { address: ip('10.0.2.2'), prefixLength: 24 };
    this.near.configure({ interface: at, extra: [ip('10.0.2.3')] });
    this.far.configure({ interface: { address: ip('10.0.2.100'), prefixLength: 24 } });
    this.near.attach(this.far);
    this.far.attach(this.near);
    const names: LabNames = {
      addressesOf: (host) => (this.machines[host] === undefined ? [] : [ip(this.machines[host])]),
      nameOf: (address: Ipv4) => Object.entries(this.machines).find(([, at]) => at === formatIpv4(address))?.[0],
    };
    const resolvers = { servers: () => this.resolvers };
    const full = { address: ip('10.0.2.3'), domain: 'lab.internal', records: [], routes: [], ...config };
    const random = new SeededRandom(3);
    const log = (entry: LogEntry) => void this.entries.push(entry);
    this.server = new DnsServer(full, at, names, { net, resolvers, scheduler, random, counters, log });
    this.server.start(this.near);
    this.#socket = this.far.udp.open(4000, ({ payload }) => void this.#heard.push(payload.slice()));
  }

  /** A name server of the world. */
  async upstream(at: Endpoint, script: Script): Promise<Upstream> {
    const upstream = new Upstream(script);
    upstream.socket = await this.net.bind(at, {
      received: (bytes, from) => upstream.receive(bytes, from),
      refused: () => undefined,
    });
    return upstream;
  }

  sendOctets(bytes: Uint8Array): void {
    this.#socket.send({ address: octets('10.0.2.3'), port: 53 }, bytes);
    this.net.turn();
  }

  /** Asks, and lets happen what happens at once. */
  send(name: string, type: string, fields: Packet = {}): void {
    this.sendOctets(queryOf(name, type, { id: this.#id++, ...fields }));
  }

  /** Octets of the answers since the last call. */
  octets(): Uint8Array[] {
    const heard = this.#heard;
    this.#heard = [];
    return heard;
  }

  answers(): Packet[] {
    return this.octets().map((bytes) => packets.decode(bytes));
  }

  /** Asks; the one answer, in words, or `nothing`. */
  ask(name: string, type = 'A', fields: Packet = {}): string {
    this.send(name, type, fields);
    return this.heard();
  }

  heard(): string {
    return this.answers().map(tell).join(' | ') || 'nothing';
  }

  /** Turns the clock, and lets the network do its part at each step. */
  advance(by: number, step = 100): void {
    for (let passed = 0; passed < by; passed += step) {
      this.scheduler.advance(Math.min(step, by - passed));
      this.net.turn();
    }
  }
}

export class Upstream {
  socket: HostDatagramSocket | undefined;
  script: Script;
  /** What it was asked, oldest first. */
  readonly asked: Packet[] = [];
  readonly clients: Endpoint[] = [];

  constructor(script: Script) {
    this.script = script;
  }

  receive(bytes: Uint8Array, from: Endpoint): void {
    const query = packets.decode(bytes);
    this.asked.push(query);
    this.clients.push(from);
    const said = this.script(query, bytes);
    if (said !== undefined) this.socket?.send(said instanceof Uint8Array ? said : answerOf(query, said), from);
  }

  get names(): string[] {
    return this.asked.map(({ questions }) => `${questions![0]!.name} ${questions![0]!.type}`);
  }
}

export function queryOf(name: string, type: string, fields: Packet = {}): Uint8Array {
  return packets.encode({
    type: 'query',
    flags: packets.RECURSION_DESIRED,
    questions: [{ name, type }],
    ...fields,
  });
}

export function answerOf(query: Packet, fields: Packet): Uint8Array {
  const flags = packets.RECURSION_DESIRED | packets.RECURSION_AVAILABLE | (fields.flags ?? 0);
  return packets.encode({ id: query.id, questions: query.questions, ...fields, type: 'response', flags });
}

/** EDNS as a client sends it. */
export function edns(udpPayloadSize = 4096, isDnssecOk = false): Packet {
  const option = { type: 'OPT', name: '.', udpPayloadSize, flags: isDnssecOk ? packets.DNSSEC_OK : 0, options: [] };
  return { additionals: [option as unknown as packets.Answer] };
}

export function a(name: string, address: string, ttl = 300): packets.Answer {
  return { type: 'A', name, ttl, data: address };
}

export function soa(name: string, minimum: number, ttl = 3600): packets.Answer {
  return { type: 'SOA', name, ttl, data: { mname: `ns.${name}`, rname: `root.${name}`, minimum } };
}

/** `NOERROR aa web.lab.internal A 60 10.0.2.15 / SOA lab.internal`. */
export function tell(packet: Packet): string {
  const { answers = [], authorities = [], additionals = [] } = packet;
  const flags = [packet.flag_aa && 'aa', packet.flag_tc && 'tc', packet.flag_ad && 'ad', packet.flag_cd && 'cd'];
  const records = (answers as packets.Answer[]).map((r) => `${r.name} ${r.type} ${r.ttl} ${dataText(r.data)}`);
  const others = (authorities as packets.Answer[]).map((r) => `/ ${r.type} ${r.name} ${r.ttl}`);
  const opt = (additionals as packets.Answer[]).map(({ type }) => (type === 'OPT' ? '+edns' : `+${type}`));
  return [packet.rcode, ...flags.filter(Boolean), ...records, ...others, ...opt].join(' ');
}

function dataText(data: unknown): string {
  if (typeof data === 'string') return data;
  if (Array.isArray(data)) return data.map((part) => `"${new TextDecoder().decode(part)}"`).join(' ');
  if (data instanceof Uint8Array) return [...data].join(',');
  return Object.values(data as object).join(' ');
}
