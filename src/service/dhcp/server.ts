/**
 * DHCP server for one network, RFC 2131.
 *
 * Theory of operation. `decide` says what a message calls for; this file does it. An address that no record gives to the client is
 * probed by ARP before it is offered, so a machine with a static address in the pool is noticed; a client with a record is answered
 * at once. A lease is on disk before its ACK leaves, so a restart forgets nothing that a client was told.
 *
 * Each client has at most one probe and one ACK under way: a message that comes meanwhile takes the place of the one that waits.
 * Left out: rapid commit (RFC 4039), BOOTP without DHCP, authentication, networks behind relays.
 */
import type { Counters } from '../../base/counters.ts';
import type { StateFile } from '../../base/files.ts';
import type { Log } from '../../base/log.ts';
import type { Millis, Scheduler, WallClock } from '../../base/time.ts';
import type { Stack } from '../../stack/stack.ts';
import type { UdpDatagram, UdpSocket } from '../../stack/udp-layer.ts';
import type { DhcpMessage, DhcpOptions } from '../../wire/dhcp.ts';
import { DHCP_SERVER_PORT, emitDhcp, parseDhcp } from '../../wire/dhcp.ts';
import { CLIENT_IDENTIFIER, HOST_NAME, textOf, uint32 } from '../../wire/dhcp-options.ts';
import type { Ipv4, Ipv4Interface } from '../../wire/ipv4-address.ts';
import { broadcastOf, formatIpv4, networkOf, parseIpv4 } from '../../wire/ipv4-address.ts';
import type { Mac } from '../../wire/mac.ts';
import { formatMac } from '../../wire/mac.ts';
import type { Service } from '../service.ts';
import type { Decision } from './decision.ts';
import { decide } from './decision.ts';
import type { DhcpConfig } from './dhcp-config.ts';
import { hexOf } from './lease-document.ts';
import { LeaseStore } from './lease-store.ts';
import type { AddressPlan, Lease, LeaseEntry } from './leases.ts';
import { LeaseTable, QUARANTINE_TIME } from './leases.ts';
import type { DhcpReply } from './reply.ts';
import { destinationOf, leaseTimeFor, replyTo, sizeLimit } from './reply.ts';

/** Two requests, 100 ms for an answer to each: a station of the same LAN answers in less. */
const PROBE = { attempts: 2, interval: 100 } as const;
/** Addresses in use that one message may come upon; then the client has to ask again. */
const CONFLICT_LIMIT = 4;
/** Probes under way at a time; who comes later asks again. */
const PROBE_LIMIT = 256;
/** The largest UDP payload. */
const MAX_PAYLOAD = 65_507;
const IPV4_TEXT = { format: formatIpv4, parse: parseIpv4 };

/** What a DHCP server needs from outside. */
export interface DhcpOutside {
  readonly scheduler: Scheduler;
  readonly wallClock: WallClock;
  readonly log: Log;
  /** Refusals by name. */
  readonly counters: Counters;
  /** Where leases survive a restart; they do not where undefined. */
  readonly leases?: StateFile | undefined;
}

/** A client whose message waits for a probe. */
interface Probe {
  readonly address: Ipv4;
  message: DhcpMessage;
}

export class DhcpServer implements Service {
  readonly name = 'dhcp';
  #config: DhcpConfig;
  readonly #server: Ipv4Interface;
  readonly #mtu: number;
  readonly #outside: DhcpOutside;
  readonly #leases: LeaseTable;
  readonly #store: LeaseStore<Ipv4>;
  /** What the calendar said when the monotonic clock was zero, in milliseconds. */
  readonly #epoch: Millis;
  readonly #probes = new Map<Mac, Probe>();
  readonly #probed = new Set<Ipv4>();
  /** Clients whose ACK waits for the disk. */
  readonly #unsaved = new Set<Mac>();
  readonly #out = new Uint8Array(MAX_PAYLOAD);
  #stack: Stack | undefined;
  #socket: UdpSocket | undefined;

  /** `server` is the address of the stack on which the service will start; `mtu` that of its network. */
  constructor(config: DhcpConfig, server: Ipv4Interface, mtu: number, outside: DhcpOutside) {
    this.#config = config;
    this.#server = server;
    this.#mtu = mtu;
    this.#outside = outside;
    this.#epoch = Number(outside.wallClock.nanoseconds() / 1_000_000n) - outside.scheduler.now();
    this.#leases = new LeaseTable(leasable(config, server));
    this.#store = new LeaseStore(outside.leases, this.#leases, IPV4_TEXT, outside.counters, outside.log);
  }

  /** Answers by this from now on. Leases that it does not allow are forgotten: who has one is refused when it asks to go on. */
  configure(config: DhcpConfig): void {
    this.#config = config;
    this.#leases.change(leasable(config, this.#server), this.#now());
  }

  /** Reads the leases of the run before; once, before `start`. */
  load(): Promise<void> {
    return this.#store.load(this.#now());
  }

  start(stack: Stack): void {
    this.#stack = stack;
    this.#socket = stack.udp.open(DHCP_SERVER_PORT, (datagram) => this.#receive(datagram));
  }

  stop(): void {
    this.#socket?.close();
    this.#socket = undefined;
    this.#stack = undefined;
    this.#probes.clear();
    this.#probed.clear();
  }

  /** Resolves when the leases are on disk. */
  settled(): Promise<void> {
    return this.#store.settled();
  }

  /** Leases that clients have now. */
  bound(): Iterable<Lease> {
    return this.#leases.bound(this.#now());
  }

  /** All that is known, also of leases that ended. */
  leases(): readonly LeaseEntry[] {
    return this.#leases.entries(this.#now());
  }

  #receive({ from, payload }: UdpDatagram): void {
    // DHCPv6 has other ports and messages.
    const message = from.address.length === 4 ? parseDhcp(payload, 0, payload.length) : 'bad-value';
    if (typeof message === 'string') this.#outside.counters.add('dhcp-malformed');
    else this.#handle(message);
  }

  /** `conflicts`: probes for this message that found an address in use. */
  #handle(message: DhcpMessage, conflicts = 0): void {
    const probe = this.#probes.get(message.chaddr);
    if (probe !== undefined && message.op === 'request') {
      probe.message = message;
      return;
    }
    const decision = decide(message, {
      leases: this.#leases,
      server: this.#server,
      now: this.#now(),
      isAvoided: (address) => this.#probed.has(address),
    });
    this.#carryOut(decision, message, conflicts);
  }

  #carryOut(decision: Decision, message: DhcpMessage, conflicts: number): void {
    const { chaddr } = message;
    switch (decision.kind) {
      case 'offer':
        this.#leases.offer(chaddr, decision.address, this.#now());
        this.#note('dhcp-offer', 'is offered', message, decision.address);
        this.#reply(message, { ...decision, kind: 'offer', leaseTime: leaseTimeFor(message, this.#config) });
        return;
      case 'ack':
        this.#bind(message, decision.address);
        return;
      case 'nak':
        this.#outside.counters.add('dhcp-nak');
        this.#note('dhcp-nak', `is refused: ${decision.why}`, message);
        this.#reply(message, decision);
        return;
      case 'inform':
        this.#reply(message, decision);
        return;
      case 'probe':
        this.#probe(message, decision.address, conflicts);
        return;
      case 'withdraw':
        this.#leases.withdraw(chaddr);
        this.#outside.counters.add('dhcp-other-server');
        return;
      case 'release':
        this.#leases.release(chaddr, this.#now());
        this.#note('dhcp-release', 'releases', message, decision.address);
        this.#store.save(() => undefined);
        return;
      case 'decline':
        this.#quarantine(decision.address, chaddr);
        this.#note('dhcp-decline', 'declines', message, decision.address);
        this.#store.save(() => undefined);
        return;
      case 'silence':
        this.#outside.counters.add(decision.reason);
        return;
    }
  }

  #bind(message: DhcpMessage, address: Ipv4): void {
    const { chaddr } = message;
    if (this.#unsaved.has(chaddr)) {
      this.#outside.counters.add('dhcp-busy');
      return;
    }
    const leaseTime = leaseTimeFor(message, this.#config);
    this.#leases.bind({ mac: chaddr, address, expires: this.#now() + leaseTime, ...identityOf(message.options) });
    this.#unsaved.add(chaddr);
    this.#store.save(() => {
      this.#unsaved.delete(chaddr);
      this.#note('dhcp-ack', 'has', message, address);
      this.#reply(message, { kind: 'ack', address, leaseTime });
    });
  }

  /** Asks whether somebody uses the address, then handles the client's last message again. */
  #probe(message: DhcpMessage, address: Ipv4, conflicts: number): void {
    const { chaddr } = message;
    if (this.#stack === undefined || this.#probes.size >= PROBE_LIMIT) {
      this.#outside.counters.add('dhcp-busy');
      return;
    }
    const probe: Probe = { address, message };
    this.#probes.set(chaddr, probe);
    this.#probed.add(address);
    this.#stack.arp.probe(address, PROBE, (owner) => {
      if (this.#probes.get(chaddr) !== probe) return;
      this.#probes.delete(chaddr);
      this.#probed.delete(address);
      if (owner !== undefined && owner !== chaddr) this.#conflict(address, owner);
      else if (this.#leases.isAvailable(address, chaddr, this.#now())) this.#leases.offer(chaddr, address, this.#now());
      // Decides anew: another client may have taken the address meanwhile. Where one station answers for all addresses there is an end.
      if (conflicts < CONFLICT_LIMIT) this.#handle(probe.message, owner === undefined ? 0 : conflicts + 1);
      else this.#outside.counters.add('dhcp-conflicts');
    });
  }

  #conflict(address: Ipv4, owner: Mac): void {
    if (this.#leases.find(owner)?.address === address) return; // it has a lease: no stranger
    this.#quarantine(address, owner);
    this.#outside.counters.add('dhcp-address-in-use');
    const [text, mac] = [formatIpv4(address), formatMac(owner)];
    this.#outside.log({
      event: 'dhcp-address-in-use',
      message: `${mac} uses ${text} of the pool without a lease`,
      mac,
      address: text,
    });
  }

  #quarantine(address: Ipv4, mac: Mac): void {
    const now = this.#now();
    this.#leases.quarantine({ address, mac, expires: now + QUARANTINE_TIME }, now);
  }

  #reply(message: DhcpMessage, reply: DhcpReply): void {
    const omitted: number[] = [];
    const limit = sizeLimit(message, this.#mtu);
    const end = emitDhcp(replyTo(message, reply, this.#config, this.#server), this.#out, 0, limit, omitted);
    if (omitted.length > 0) this.#outside.counters.add('dhcp-option-omitted', omitted.length);
    const { address, port, mac } = destinationOf(message, reply, this.#server);
    this.#socket?.send(
      { address: uint32(address), port },
      this.#out.subarray(0, end),
      mac === undefined ? {} : { mac },
    );
  }

  #note(event: string, verb: string, message: DhcpMessage, address?: Ipv4): void {
    const [mac, text] = [formatMac(message.chaddr), address === undefined ? undefined : formatIpv4(address)];
    const { hostname } = identityOf(message.options);
    const who = hostname === undefined ? mac : `${mac} (${hostname})`;
    this.#outside.log({
      event,
      message: [who, verb, text].filter((word) => word !== undefined).join(' '),
      mac,
      address: text,
      hostname,
    });
  }

  /** Seconds since 1970, counted from the start on: a step of the calendar lengthens no lease. */
  #now(): number {
    return Math.floor((this.#epoch + this.#outside.scheduler.now()) / 1000);
  }
}

function leasable(
  { first, last, reservations, routers, dns, excluded = [] }: DhcpConfig,
  server: Ipv4Interface,
): AddressPlan {
  const own = [server.address, networkOf(server), broadcastOf(server)];
  return { first, last, reservations, excluded: [...own, ...routers, ...dns, ...excluded] };
}

/** What a client calls itself. A host name that is none (RFC 1123, 2.1) is not repeated to people. */
function identityOf(options: DhcpOptions): { readonly hostname?: string; readonly clientId?: string } {
  const hostname = textOf(options, HOST_NAME);
  const clientId = options.get(CLIENT_IDENTIFIER);
  return {
    ...(hostname !== undefined && /^[a-z0-9_]([a-z0-9._-]{0,253})$/i.test(hostname) ? { hostname } : {}),
    ...(clientId !== undefined && clientId.length <= 64 ? { clientId: hexOf(clientId) } : {}),
  };
}
