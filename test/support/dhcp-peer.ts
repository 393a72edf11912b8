import { SeededRandom } from '../../src/base/chance.ts';
import { Counters } from '../../src/base/counters.ts';
import type { StateFile } from '../../src/base/files.ts';
import type { LogEntry } from '../../src/base/log.ts';
import { batchOf, sliceOf } from '../../src/link/frame-batch.ts';
import type { DhcpConfig } from '../../src/service/dhcp/dhcp-config.ts';
import { DhcpServer } from '../../src/service/dhcp/server.ts';
import { Stack } from '../../src/stack/stack.ts';
import type { DhcpMessage } from '../../src/wire/dhcp.ts';
import { DHCP_CLIENT_PORT, DHCP_SERVER_PORT, emitDhcp, parseDhcp } from '../../src/wire/dhcp.ts';
import type { DhcpMessageType } from '../../src/wire/dhcp-options.ts';
import {
  MESSAGE_TYPE,
  messageType,
  messageTypeOf,
  REQUESTED_ADDRESS,
  SERVER_IDENTIFIER,
  uint32,
} from '../../src/wire/dhcp-options.ts';
import { ETHERTYPE_ARP, ETHERTYPE_IPV4, emitEthernet } from '../../src/wire/ethernet.ts';
import { emitIpv4, Ipv4View, PROTOCOL_UDP, pseudoHeaderSum } from '../../src/wire/ipv4.ts';
import type { Ipv4, Ipv4Interface } from '../../src/wire/ipv4-address.ts';
import { formatIpv4, LIMITED_BROADCAST } from '../../src/wire/ipv4-address.ts';
import type { Mac } from '../../src/wire/mac.ts';
import { BROADCAST_MAC, formatMac, readMac } from '../../src/wire/mac.ts';
import { readUint16 } from '../../src/wire/octets.ts';
import { emitUdp, UdpView } from '../../src/wire/udp.ts';
import { A, B } from './frames.ts';
import { ManualScheduler } from './manual-scheduler.ts';
import { arpFrame, ip, replyFrom } from './stack-peer.ts';

export const SERVER: Ipv4Interface = { address: ip('10.0.2.2'), prefixLength: 24 };

/** A pool of three addresses, and nothing else but the router. */
export const POOL: DhcpConfig = {
  first: ip('10.0.2.15'),
  last: ip('10.0.2.17'),
  leaseTime: 3600,
  reservations: [],
  routers: [SERVER.address],
  dns: [],
  search: [],
  ntp: [],
  routes: [],
};

/** What a client puts into a message; addresses as text. */
export interface Saying {
  readonly mac?: Mac;
  readonly ciaddr?: string;
  readonly giaddr?: string;
  readonly requested?: string;
  /** Option 54; the server under test where undefined and the message needs one. */
  readonly server?: string;
  readonly isBroadcast?: boolean;
  readonly options?: readonly (readonly [number, Uint8Array])[];
}

/** A message of the server and where it went. */
export interface Answer {
  readonly type: DhcpMessageType | undefined;
  readonly message: DhcpMessage;
  /** `52:54:00:00:00:02 10.0.2.15:68`. */
  readonly to: string;
  readonly octets: number;
}

/** A DHCP server on a stack of its own, and clients whose every message the test writes. */
export class DhcpBench {
  readonly scheduler = new ManualScheduler();
  readonly counters = new Counters();
  readonly entries: LogEntry[] = [];
  readonly stack = new Stack({ mac: A, mtu: 1500, scheduler: this.scheduler, random: new SeededRandom(1) });
  readonly server: DhcpServer;
  /** Stations with an address that nobody gave them. */
  readonly squatters = new Map<Ipv4, Mac>();
  /** Addresses that were asked for by ARP probes. */
  probed: string[] = [];
  #answers: Answer[] = [];

  constructor(config: Partial<DhcpConfig> = {}, leases?: StateFile) {
    this.stack.configure({ interface: SERVER });
    this.stack.attach({
      push: (batch, first, end) => {
        for (let i = first; i < end; i++) this.#hear(sliceOf(batch, i));
      },
    });
    const log = (entry: LogEntry): void => void this.entries.push(entry);
    this.server = new DhcpServer({ ...POOL, ...config }, SERVER, 1500, {
      scheduler: this.scheduler,
      wallClock: this.scheduler,
      log,
      counters: this.counters,
      leases,
    });
    this.server.start(this.stack);
  }

  /** Seconds since 1970. */
  get now(): number {
    return Number(this.scheduler.nanoseconds() / 1_000_000_000n);
  }

  say(type: DhcpMessageType, saying: Saying = {}): void {
    const { mac = B, ciaddr, giaddr, requested, server, isBroadcast = false, options = [] } = saying;
    const message: DhcpMessage = {
      op: 'request',
      hops: 0,
      xid: 0x1234,
      secs: 0,
      isBroadcast,
      ciaddr: ciaddr === undefined ? 0 : ip(ciaddr),
      yiaddr: 0,
      siaddr: 0,
      giaddr: giaddr === undefined ? 0 : ip(giaddr),
      chaddr: mac,
      sname: '',
      file: '',
      options: new Map([
        [MESSAGE_TYPE, messageType(type)],
        ...(requested === undefined ? [] : ([[REQUESTED_ADDRESS, uint32(ip(requested))]] as const)),
        ...(server === undefined ? [] : ([[SERVER_IDENTIFIER, uint32(ip(server))]] as const)),
        ...options,
      ]),
    };
    const out = new Uint8Array(2048);
    this.deliver(out.subarray(0, emitDhcp(message, out, 0, out.length)), mac, message.ciaddr);
  }

  /** Any octets to the server's port. */
  deliver(payload: Uint8Array, mac: Mac = B, source: Ipv4 = 0): void {
    const frame = new Uint8Array(42 + payload.length);
    const header = {
      totalLength: 28 + payload.length,
      identification: 1,
      dontFragment: false,
      moreFragments: false,
      fragmentOffset: 0,
      ttl: 64,
      protocol: PROTOCOL_UDP,
      source,
      destination: LIMITED_BROADCAST,
    };
    const udp = emitIpv4(header, frame, emitEthernet(frame, 0, BROADCAST_MAC, mac, ETHERTYPE_IPV4));
    const sum = pseudoHeaderSum(source, LIMITED_BROADCAST, PROTOCOL_UDP, 8 + payload.length);
    frame.set(
      payload,
      emitUdp({ sourcePort: DHCP_CLIENT_PORT, destinationPort: DHCP_SERVER_PORT }, sum, payload, frame, udp),
    );
    this.stack.push(batchOf([frame]), 0, 1);
  }

  /** What the server said since the last call. */
  answers(): Answer[] {
    const answers = this.#answers;
    this.#answers = [];
    return answers;
  }

  /** The one thing the server said since the last call. */
  answer(): Answer {
    const answers = this.answers();
    if (answers.length !== 1)
      throw new Error(`${answers.length} answers, not one; ${JSON.stringify(this.counters.toRecord())}`);
    return answers[0]!;
  }

  /** The client says this and gets an address, or what the server says instead. */
  ask(type: DhcpMessageType, saying: Saying = {}): string {
    this.say(type, saying);
    this.scheduler.advance(200);
    const answers = this.answers();
    return answers.map((answer) => `${answer.type} ${formatIpv4(answer.message.yiaddr)}`).join(', ') || 'silence';
  }

  /** The four messages; the address that the client has then. */
  lease(mac: Mac = B, saying: Saying = {}): string {
    const requested = this.ask('discover', { ...saying, mac }).replace('offer ', '');
    return this.ask('request', { ...saying, mac, requested, server: formatIpv4(SERVER.address) });
  }

  /** `10.0.2.15 bound` for each line of the list. */
  listed(): string[] {
    return this.server.leases().map(({ address, state }) => `${formatIpv4(address)} ${state}`);
  }

  #hear(frame: Uint8Array): void {
    if (readUint16(frame, 12) === ETHERTYPE_ARP) this.#answerArp(frame);
    else this.#keep(frame);
  }

  #answerArp(frame: Uint8Array): void {
    const view = new DataView(frame.buffer, frame.byteOffset);
    const [sender, target] = [view.getUint32(28), view.getUint32(38)];
    if (sender === 0) this.probed.push(formatIpv4(target));
    const squatter = this.squatters.get(target);
    if (squatter === undefined) return;
    this.stack.push(batchOf([arpFrame(replyFrom(squatter, target))]), 0, 1);
  }

  #keep(frame: Uint8Array): void {
    const packet = new Ipv4View();
    const datagram = new UdpView();
    if (packet.bind(frame, 14, frame.length) !== undefined) return;
    if (datagram.bind(frame, packet.payloadStart, packet.payloadEnd) !== undefined) return;
    const message = parseDhcp(frame, datagram.payloadStart, datagram.payloadEnd);
    if (typeof message === 'string') throw new Error(`the server wrote a message that is ${message}`);
    this.#answers.push({
      type: messageTypeOf(message.options),
      message,
      to: `${formatMac(readMac(frame, 0))} ${formatIpv4(packet.destination)}:${datagram.destinationPort}`,
      octets: datagram.payloadEnd - datagram.payloadStart,
    });
  }
}
