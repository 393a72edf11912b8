/**
 * DHCPv6 server for one network, RFC 8415.
 *
 * Theory of operation. `decide` says what a message calls for; this file does it. A card has one address, whatever identifier (DUID) and
 * association (IAID) its programs ask with: firmware, boot loader and system of one machine have identifiers of their own, cloned
 * machines share one, and the MAC is the frame's, since there are no relays. A lease is on disk before its Reply leaves, so a restart
 * forgets nothing that a client was told. The server's own identifier follows from the gateway's MAC (DUID-LL): it outlives a restart
 * without being stored. Clients look for other users of their address themselves (RFC 4862, 5.4) and decline it, so nothing is probed.
 *
 * Each client has at most one Reply that waits for the disk. Left out: temporary addresses, prefixes, Reconfigure, authentication, and
 * networks behind relays.
 */
import type { Millis } from '../../base/time.ts';
import type { Stack } from '../../stack/stack.ts';
import type { UdpDatagram, UdpSocket } from '../../stack/udp-layer.ts';
import type { Dhcp6Message } from '../../wire/dhcpv6.ts';
import {
  ALL_DHCP_SERVERS,
  DHCP6_CLIENT_PORT,
  DHCP6_SERVER_PORT,
  emitDhcp6,
  isRelayedDhcp6,
  parseDhcp6,
} from '../../wire/dhcpv6.ts';
import { CLIENT_ID, duidOf, linkLayerDuid } from '../../wire/dhcpv6-options.ts';
import { IPV6_HEADER_LENGTH } from '../../wire/ipv6.ts';
import type { Ipv6 } from '../../wire/ipv6-address.ts';
import {
  IPV6_ADDRESS_LENGTH,
  ipv6Number,
  ipv6OfNumber,
  isMulticastIpv6,
  isUnspecifiedIpv6,
} from '../../wire/ipv6-address.ts';
import { formatIpv6, parseIpv6 } from '../../wire/ipv6-text.ts';
import type { Mac } from '../../wire/mac.ts';
import { formatMac } from '../../wire/mac.ts';
import { UDP_HEADER_LENGTH } from '../../wire/udp.ts';
import { hexOf } from '../dhcp/lease-document.ts';
import { LeaseStore } from '../dhcp/lease-store.ts';
import type { AddressPlan, Lease, LeaseEntry } from '../dhcp/leases.ts';
import { LeaseTable, QUARANTINE_TIME } from '../dhcp/leases.ts';
import type { DhcpOutside } from '../dhcp/server.ts';
import type { Service } from '../service.ts';
import type { Dhcp6Answer, Dhcp6Decision } from './decision.ts';
import { decide } from './decision.ts';
import type { Dhcp6Config } from './dhcp6-config.ts';
import { ownNameOf, replyTo } from './reply.ts';

const IPV6_TEXT = {
  format: (address: bigint) => formatIpv6(ipv6OfNumber(address)),
  parse: (text: string) => {
    const address = parseIpv6(text);
    return address && ipv6Number(address);
  },
};

export class Dhcp6Server implements Service {
  readonly name = 'dhcp6';
  #config: Dhcp6Config;
  readonly #own: Ipv6;
  readonly #serverId: Uint8Array;
  readonly #outside: DhcpOutside;
  readonly #leases: LeaseTable<bigint>;
  readonly #store: LeaseStore<bigint>;
  /** What the calendar said when the monotonic clock was zero, in milliseconds. */
  readonly #epoch: Millis;
  /** Clients whose Reply waits for the disk. */
  readonly #unsaved = new Set<Mac>();
  readonly #out: Uint8Array;
  #stack: Stack | undefined;
  #socket: UdpSocket | undefined;

  /** `own` and `mac` are the addresses of the stack on which the service will start; `mtu` is that of its network. */
  constructor(config: Dhcp6Config, own: Ipv6, mac: Mac, mtu: number, outside: DhcpOutside) {
    this.#config = config;
    this.#own = own;
    this.#serverId = linkLayerDuid(mac);
    this.#outside = outside;
    this.#out = new Uint8Array(mtu - IPV6_HEADER_LENGTH - UDP_HEADER_LENGTH);
    this.#epoch = Number(outside.wallClock.nanoseconds() / 1_000_000n) - outside.scheduler.now();
    this.#leases = new LeaseTable(leasable(config, own));
    this.#store = new LeaseStore(outside.leases, this.#leases, IPV6_TEXT, outside.counters, outside.log);
  }

  /** Answers by this from now on. Leases that it does not allow are forgotten: who renews one is given another address. */
  configure(config: Dhcp6Config): void {
    this.#config = config;
    this.#leases.change(leasable(config, this.#own), this.#now());
  }

  /** Reads the leases of the run before; once, before `start`. */
  load(): Promise<void> {
    return this.#store.load(this.#now());
  }

  start(stack: Stack): void {
    this.#stack = stack;
    stack.joinGroup(ALL_DHCP_SERVERS);
    this.#socket = stack.udp.open(DHCP6_SERVER_PORT, (datagram) => this.#receive(datagram));
  }

  stop(): void {
    this.#stack?.leaveGroup(ALL_DHCP_SERVERS);
    this.#socket?.close();
    this.#socket = undefined;
    this.#stack = undefined;
  }

  /** Resolves when the leases are on disk. */
  settled(): Promise<void> {
    return this.#store.settled();
  }

  /** Leases that clients have now. */
  bound(): Iterable<Lease<Ipv6>> {
    return Array.from(this.#leases.bound(this.#now()), inOctets);
  }

  /** All that is known, also of leases that ended. */
  leases(): readonly LeaseEntry<Ipv6>[] {
    return this.#leases.entries(this.#now()).map(inOctets);
  }

  #receive({ from, to, sourceMac, payload }: UdpDatagram): void {
    if (to.address.length !== IPV6_ADDRESS_LENGTH || isUnspecifiedIpv6(from.address)) {
      this.#outside.counters.add('dhcp6-malformed');
      return;
    }
    if (isRelayedDhcp6(payload, 0, payload.length)) {
      this.#outside.counters.add('dhcp6-relayed');
      return;
    }
    const message = parseDhcp6(payload, 0, payload.length);
    if (typeof message === 'string') {
      this.#outside.counters.add('dhcp6-malformed');
      return;
    }
    const decision = decide(message, {
      leases: this.#leases,
      prefix: this.#config.prefix,
      serverId: this.#serverId,
      mac: sourceMac,
      isMulticast: isMulticastIpv6(to.address),
      now: this.#now(),
    });
    if (decision.kind === 'silence') this.#outside.counters.add(decision.reason);
    else this.#carryOut(decision, { message: kept(message), mac: sourceMac, address: from.address.slice() });
  }

  #carryOut({ answer, effect }: Dhcp6Decision & { kind: 'answer' }, client: Client): void {
    const { mac } = client;
    for (const { told } of answer.verdicts ?? []) if (told) this.#outside.counters.add(`dhcp6-${told.status}`);
    if (answer.told !== undefined && answer.told.status !== 'success')
      this.#outside.counters.add(`dhcp6-${answer.told.status}`);
    switch (effect?.verb) {
      case undefined:
        break;
      case 'offer':
        this.#leases.offer(mac, effect.address, this.#now());
        this.#note('dhcp6-offer', 'is offered', client, effect.address);
        break;
      case 'bind':
        this.#bind(effect.address, answer, client);
        return;
      case 'release':
        this.#leases.release(mac, this.#now());
        this.#note('dhcp6-release', 'releases', client, effect.address);
        this.#store.save(() => undefined);
        break;
      case 'decline': {
        const now = this.#now();
        this.#leases.quarantine({ address: effect.address, mac, expires: now + QUARANTINE_TIME }, now);
        this.#note('dhcp6-decline', 'declines', client, effect.address);
        this.#store.save(() => undefined);
        break;
      }
    }
    this.#reply(answer, client);
  }

  #bind(address: bigint, answer: Dhcp6Answer, client: Client): void {
    const { mac, message } = client;
    if (this.#unsaved.has(mac)) {
      this.#outside.counters.add('dhcp6-busy');
      return;
    }
    const hostname = ownNameOf(message);
    this.#leases.bind({
      mac,
      address,
      expires: this.#now() + this.#config.leaseTime,
      ...(hostname !== undefined && { hostname }),
      clientId: hexOf(duidOf(message.options, CLIENT_ID)!),
    });
    this.#unsaved.add(mac);
    this.#store.save(() => {
      this.#unsaved.delete(mac);
      this.#note('dhcp6-reply', 'has', client, address);
      this.#reply(answer, client);
    });
  }

  #reply(answer: Dhcp6Answer, { message, mac, address }: Client): void {
    const omitted: number[] = [];
    const out = this.#out;
    const end = emitDhcp6(replyTo(message, answer, this.#config, this.#serverId, mac), out, 0, out.length, omitted);
    if (omitted.length > 0) this.#outside.counters.add('dhcp6-option-omitted', omitted.length);
    this.#socket?.send({ address, port: DHCP6_CLIENT_PORT }, out.subarray(0, end), { mac });
  }

  #note(event: string, verb: string, { message, mac }: Client, address: bigint): void {
    const [who, text] = [formatMac(mac), IPV6_TEXT.format(address)];
    const hostname = ownNameOf(message);
    this.#outside.log({
      event,
      message: `${hostname === undefined ? who : `${who} (${hostname})`} ${verb} ${text}`,
      mac: who,
      address: text,
      hostname,
    });
  }

  /** Seconds since 1970, counted from the start on: a step of the calendar lengthens no lease. */
  #now(): number {
    return Math.floor((this.#epoch + this.#outside.scheduler.now()) / 1000);
  }
}

/** Who asked, what, and where the answer goes. */
interface Client {
  readonly message: Dhcp6Message;
  readonly mac: Mac;
  readonly address: Ipv6;
}

/** The message with octets of its own: those of the datagram are on loan. */
function kept(message: Dhcp6Message): Dhcp6Message {
  return { ...message, options: message.options.map(({ code, value }) => ({ code, value: value.slice() })) };
}

function leasable({ pool, reservations, dns, excluded = [] }: Dhcp6Config, own: Ipv6): AddressPlan<bigint> {
  return {
    // Without a pool the last address comes before the first.
    first: pool === undefined ? 1n : ipv6Number(pool.first),
    last: pool === undefined ? 0n : ipv6Number(pool.last),
    reservations: reservations.map(({ mac, address }) => ({ mac, address: ipv6Number(address) })),
    excluded: [own, ...dns, ...excluded].map(ipv6Number),
  };
}

function inOctets<T extends { readonly address: bigint }>(entry: T): Omit<T, 'address'> & { readonly address: Ipv6 } {
  return { ...entry, address: ipv6OfNumber(entry.address) };
}
