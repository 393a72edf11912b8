import { SeededRandom } from '../../src/base/chance.ts';
import { Counters } from '../../src/base/counters.ts';
import type { StateFile } from '../../src/base/files.ts';
import type { LogEntry } from '../../src/base/log.ts';
import { batchOf, sliceOf } from '../../src/link/frame-batch.ts';
import type { Dhcp6Config } from '../../src/service/dhcp6/dhcp6-config.ts';
import { Dhcp6Server } from '../../src/service/dhcp6/server.ts';
import { Stack } from '../../src/stack/stack.ts';
import type { Dhcp6Message, Dhcp6Option, Dhcp6Type } from '../../src/wire/dhcpv6.ts';
import {
  ALL_DHCP_SERVERS,
  DHCP6_CLIENT_PORT,
  DHCP6_SERVER_PORT,
  emitDhcp6,
  parseDhcp6,
  parseDhcp6Options,
} from '../../src/wire/dhcpv6.ts';
import {
  answeredAssociation,
  CLIENT_ID,
  IA_NA,
  IA_PD,
  IA_TA,
  linkLayerDuid,
  SERVER_ID,
  STATUS_CODE,
} from '../../src/wire/dhcpv6-options.ts';
import { PROTOCOL_UDP } from '../../src/wire/ipv4.ts';
import { Ipv6View, ipv6PseudoHeaderSum } from '../../src/wire/ipv6.ts';
import type { Ipv6, Ipv6Interface } from '../../src/wire/ipv6-address.ts';
import { groupMacOf, linkLocalOf } from '../../src/wire/ipv6-address.ts';
import { formatIpv6 } from '../../src/wire/ipv6-text.ts';
import type { Mac } from '../../src/wire/mac.ts';
import { formatMac, readMac } from '../../src/wire/mac.ts';
import { readUint16, readUint32 } from '../../src/wire/octets.ts';
import { emitUdp, UdpView } from '../../src/wire/udp.ts';
import { A, B } from './frames.ts';
import { ip6, ipv6Frame } from './ipv6-peer.ts';
import { ManualScheduler } from './manual-scheduler.ts';

export const SERVER6: Ipv6Interface = { address: ip6('fd00::1'), prefixLength: 64 };

/** A pool of three addresses, and a name server. */
export const POOL6: Dhcp6Config = {
  prefix: { address: ip6('fd00::'), prefixLength: 64 },
  pool: { first: ip6('fd00::10'), last: ip6('fd00::12') },
  leaseTime: 3600,
  reservations: [],
  dns: [SERVER6.address],
  search: [],
};

/** What a client puts into a message. */
export interface Saying6 {
  readonly mac?: Mac;
  /** Of the association: the one address, or several. */
  readonly address?: string | readonly string[];
  /** Associations by their option codes, IAIDs from 1 up; one IA_NA where undefined. */
  readonly associations?: readonly (typeof IA_NA | typeof IA_TA | typeof IA_PD)[];
  /** Option 2; the server under test where undefined and the message needs one; none where null. */
  readonly server?: Uint8Array | null;
  readonly clientId?: Uint8Array | null;
  readonly to?: Ipv6;
  readonly options?: readonly Dhcp6Option[];
}

/** A message of the server and where it went. */
export interface Answer6 {
  readonly message: Dhcp6Message;
  /** `52:54:00:00:00:02 [fe80::…]:546`. */
  readonly to: string;
  readonly from: string;
}

const FOR_ONE: readonly Dhcp6Type[] = ['request', 'renew', 'release', 'decline'];

/** A DHCPv6 server on a stack of its own, and clients whose every message the test writes. */
export class Dhcp6Bench {
  readonly scheduler = new ManualScheduler();
  readonly counters = new Counters();
  readonly entries: LogEntry[] = [];
  readonly stack = new Stack({ mac: A, mtu: 1500, scheduler: this.scheduler, random: new SeededRandom(1) });
  readonly server: Dhcp6Server;
  #answers: Answer6[] = [];

  constructor(config: Partial<Dhcp6Config> = {}, leases?: StateFile) {
    this.stack.configure({ ipv6: { interface: SERVER6 } });
    this.stack.attach({
      push: (batch, first, end) => {
        for (let i = first; i < end; i++) this.#keep(sliceOf(batch, i));
      },
    });
    this.server = new Dhcp6Server({ ...POOL6, ...config }, SERVER6.address, A, 1500, {
      scheduler: this.scheduler,
      wallClock: this.scheduler,
      log: (entry) => void this.entries.push(entry),
      counters: this.counters,
      leases,
    });
    this.server.start(this.stack);
  }

  say(type: Dhcp6Type, saying: Saying6 = {}): void {
    const { mac = B, address = [], clientId = linkLayerDuid(mac), options = [] } = saying;
    const { associations = type === 'information-request' ? [] : [IA_NA] } = saying;
    const { server = FOR_ONE.includes(type) ? linkLayerDuid(A) : null } = saying;
    const addresses = [address].flat().map((text) => ({ address: ip6(text), lifetime: 0 }));
    const message: Dhcp6Message = {
      type,
      transactionId: 0x123456,
      options: [
        ...(clientId === null ? [] : [{ code: CLIENT_ID, value: clientId }]),
        ...(server === null ? [] : [{ code: SERVER_ID, value: server }]),
        ...associations.map((code, i) =>
          answeredAssociation({
            code,
            iaid: i + 1,
            t1: 0,
            t2: 0,
            addresses: code === IA_PD ? [] : addresses,
            status: undefined,
          }),
        ),
        ...options,
      ],
    };
    const out = new Uint8Array(2048);
    this.deliver(out.subarray(0, emitDhcp6(message, out, 0, out.length)), mac, saying.to);
  }

  /** Any octets to the server's port. */
  deliver(payload: Uint8Array, mac: Mac = B, destination: Ipv6 = ALL_DHCP_SERVERS): void {
    const source = linkLocalOf(mac);
    const datagram = new Uint8Array(8 + payload.length);
    const sum = ipv6PseudoHeaderSum(source, destination, PROTOCOL_UDP, datagram.length);
    const ports = { sourcePort: DHCP6_CLIENT_PORT, destinationPort: DHCP6_SERVER_PORT };
    datagram.set(payload, emitUdp(ports, sum, payload, datagram, 0));
    const toMac = destination[0] === 0xff ? groupMacOf(destination) : A;
    const fields = { source, destination, hopLimit: 1, nextHeader: PROTOCOL_UDP, fromMac: mac, toMac };
    this.stack.push(batchOf([ipv6Frame(datagram, fields)]), 0, 1);
  }

  /** What the server said since the last call. */
  answers(): Answer6[] {
    const answers = this.#answers;
    this.#answers = [];
    return answers;
  }

  /** The one thing the server said since the last call. */
  answer(): Answer6 {
    const answers = this.answers();
    if (answers.length !== 1)
      throw new Error(`${answers.length} answers, not one; ${JSON.stringify(this.counters.toRecord())}`);
    return answers[0]!;
  }

  /** The client says this and hears what `tellDhcp6` puts into words. */
  ask(type: Dhcp6Type, saying: Saying6 = {}): string {
    this.say(type, saying);
    return (
      this.answers()
        .map(({ message }) => tellDhcp6(message))
        .join(', ') || 'silence'
    );
  }

  /** The four messages; what the last one said. */
  lease(mac: Mac = B, saying: Saying6 = {}): string {
    this.ask('solicit', { ...saying, mac });
    return this.ask('request', { ...saying, mac });
  }

  /** `fd00::10 bound` for each line of the list. */
  listed(): string[] {
    return this.server.leases().map(({ address, state }) => `${formatIpv6(address)} ${state}`);
  }

  #keep(frame: Uint8Array): void {
    const ip = new Ipv6View();
    const datagram = new UdpView();
    if (ip.bind(frame, 14, frame.length) !== undefined || ip.nextHeader !== PROTOCOL_UDP) return;
    if (datagram.bind(frame, ip.payloadStart, ip.payloadEnd) !== undefined) throw new Error('a broken datagram');
    const message = parseDhcp6(frame, datagram.payloadStart, datagram.payloadEnd);
    if (typeof message === 'string') throw new Error(`the server wrote a message that is ${message}`);
    this.#answers.push({
      message,
      to: `${formatMac(readMac(frame, 0))} [${formatIpv6(ip.destination)}]:${datagram.destinationPort}`,
      from: `[${formatIpv6(ip.source)}]:${datagram.sourcePort}`,
    });
  }
}

const STATUSES = [
  'success',
  'unspec-fail',
  'no-addrs-avail',
  'no-binding',
  'not-on-link',
  'use-multicast',
  'no-prefix-avail',
];
const ASSOCIATIONS: Readonly<Record<number, string>> = { [IA_NA]: 'na', [IA_TA]: 'ta', [IA_PD]: 'pd' };

/** `advertise na 1 fd00::10/3600`: the type, each association, the status of the message. */
export function tellDhcp6({ type, options }: Dhcp6Message): string {
  const said = options.flatMap(({ code, value }) => {
    if (code === STATUS_CODE) return [STATUSES[readUint16(value, 0)]!];
    const kind = ASSOCIATIONS[code];
    if (kind === undefined) return [];
    const inner = parseDhcp6Options(value, code === IA_TA ? 4 : 12, value.length);
    if (typeof inner === 'string') throw new Error(inner);
    const parts = inner.map((option) =>
      option.code === STATUS_CODE
        ? STATUSES[readUint16(option.value, 0)]!
        : `${formatIpv6(option.value.slice(0, 16))}/${readUint32(option.value, 20)}`,
    );
    return [`${kind} ${readUint32(value, 0)} ${parts.join(' ')}`.trim()];
  });
  return [type, ...said].join(' ');
}
