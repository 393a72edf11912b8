/**
 * DHCP client of a built-in machine, RFC 2131, 4.4: from no address to a lease, and the lease kept alive.
 *
 * It wants little: no second server is compared with the first, and an address of an earlier life is not remembered.
 */
import type { Random } from '../base/chance.ts';
import { randomUint32 } from '../base/chance.ts';
import type { Millis, Scheduler, Timer } from '../base/time.ts';
import type { Stack } from '../stack/stack.ts';
import type { UdpDatagram, UdpSocket } from '../stack/udp-layer.ts';
import type { DhcpMessage } from '../wire/dhcp.ts';
import { DHCP_CLIENT_PORT, DHCP_DEFAULT_LIMIT, DHCP_SERVER_PORT, emitDhcp, parseDhcp } from '../wire/dhcp.ts';
import type { DhcpMessageType } from '../wire/dhcp-options.ts';
import {
  BOOTFILE_NAME,
  DOMAIN_NAME,
  DOMAIN_NAME_SERVER,
  HOST_NAME,
  ipv4ListOf,
  ipv4Of,
  LEASE_TIME,
  MESSAGE_TYPE,
  messageType,
  messageTypeOf,
  PARAMETER_REQUEST_LIST,
  REBINDING_TIME,
  RENEWAL_TIME,
  REQUESTED_ADDRESS,
  ROUTER,
  SERVER_IDENTIFIER,
  SUBNET_MASK,
  text,
  textOf,
  uint32,
  uint32Of,
} from '../wire/dhcp-options.ts';
import type { Ipv4, Ipv4Interface } from '../wire/ipv4-address.ts';
import { LIMITED_BROADCAST } from '../wire/ipv4-address.ts';

/** What a client has for a while. */
export interface ClientLease {
  readonly interface: Ipv4Interface;
  readonly router?: Ipv4;
  readonly dns: readonly Ipv4[];
  /** What names without a domain are looked up in. */
  readonly domain?: string;
  /** The DHCP server. */
  readonly server: Ipv4;
  /** Where the boot file is. */
  readonly bootServer: Ipv4;
  readonly bootfile?: string;
  /** Seconds. */
  readonly leaseTime: number;
}

export interface DhcpClientEvents {
  /** The stack has the lease's address now; also after each renewal. */
  bound(lease: ClientLease): void;
  /** The stack has no address any more. */
  lost(): void;
}

/**
 * - `init`: stopped, or waiting to begin anew.
 * - `selecting`: DISCOVER is out; an OFFER ends it.
 * - `requesting`: REQUEST is out; an ACK or NAK ends it.
 * - `probing`: the address is ours unless somebody answers for it.
 * - `releasing`: RELEASE waits for the server's MAC, not for long.
 * - `bound`: until T1. `renewing`: asks the server, until T2. `rebinding`: asks everybody, until the lease ends.
 */
type State = 'init' | 'selecting' | 'requesting' | 'probing' | 'bound' | 'renewing' | 'rebinding' | 'releasing';

/** The four seconds of RFC 2131, 4.1, are for large networks; this one is a process. */
const FIRST_RETRANSMISSION: Millis = 1000;
const LAST_RETRANSMISSION: Millis = 16_000;
/** RFC 2131, 4.4.5. */
const MIN_RENEWAL_INTERVAL: Millis = 60_000;
const RESTART_DELAY: Millis = 1000;
/** RFC 2131, 3.1, 5: after DECLINE the client waits at least ten seconds. */
const DECLINE_DELAY: Millis = 10_000;
/** What a server on the same LAN may take to say where it is. */
const RESOLUTION_TIME: Millis = 100;
const PROBE = { attempts: 1, interval: 100 } as const;
const PARAMETERS = [SUBNET_MASK, ROUTER, DOMAIN_NAME_SERVER, DOMAIN_NAME, BOOTFILE_NAME, RENEWAL_TIME, REBINDING_TIME];

export class DhcpClient {
  readonly #stack: Stack;
  readonly #scheduler: Scheduler;
  readonly #random: Random;
  readonly #hostname: string;
  readonly #events: DhcpClientEvents;
  readonly #timer: Timer;
  #socket: UdpSocket | undefined;
  #state: State = 'init';
  #xid = 0;
  #offer: DhcpMessage | undefined;
  #lease: ClientLease | undefined;
  #onReleased: () => void = () => undefined;
  #wait: Millis = FIRST_RETRANSMISSION;
  #renewAt: Millis = 0;
  #rebindAt: Millis = 0;
  #expiresAt: Millis = 0;

  constructor(stack: Stack, hostname: string, scheduler: Scheduler, random: Random, events: DhcpClientEvents) {
    this.#stack = stack;
    this.#hostname = hostname;
    this.#scheduler = scheduler;
    this.#random = random;
    this.#events = events;
    this.#timer = scheduler.timer(() => this.#timedOut());
  }

  get state(): State {
    return this.#state;
  }

  start(): void {
    this.#socket ??= this.#stack.udp.open(DHCP_CLIENT_PORT, (datagram) => this.#receive(datagram));
    this.#discover();
  }

  /** Gives the lease back; `onDone` hears when that is said, at once where the server's MAC is known. */
  release(onDone: () => void = () => undefined): void {
    const lease = this.#lease;
    if (lease !== undefined) this.#send('release', lease.server, lease.interface.address, [serverOption(lease.server)]);
    this.#onReleased = onDone;
    this.#state = 'releasing';
    if (lease === undefined || this.#stack.arp.owner(lease.server) !== undefined) this.#released();
    else this.#timer.arm(this.#scheduler.now() + RESOLUTION_TIME);
  }

  #released(): void {
    this.stop();
    this.#onReleased();
  }

  /** Falls silent, as a machine does whose power is cut; the stack keeps its address only until then. */
  stop(): void {
    this.#timer.cancel();
    this.#socket?.close();
    this.#socket = undefined;
    this.#state = 'init';
    this.#forget();
  }

  #discover(): void {
    this.#xid = randomUint32(this.#random);
    this.#wait = FIRST_RETRANSMISSION;
    this.#state = 'selecting';
    this.#ask();
  }

  #timedOut(): void {
    const now = this.#scheduler.now();
    if (this.#state === 'init') this.#discover();
    else if (this.#state === 'releasing') this.#released();
    else if (this.#state === 'selecting') this.#ask();
    else if (this.#state === 'requesting' && this.#wait > LAST_RETRANSMISSION) this.#discover();
    else if (this.#state === 'requesting') this.#ask();
    else if (now >= this.#expiresAt) this.#restart(0);
    else this.#renew(now);
  }

  /** Sends what the state calls for and arms the retransmission, RFC 2131, 4.1: twice as late each time, with some chance. */
  #ask(): void {
    if (this.#state === 'selecting') this.#send('discover', LIMITED_BROADCAST, 0, []);
    else if (this.#offer !== undefined) this.#request(this.#offer);
    this.#timer.arm(this.#scheduler.now() + this.#wait * (0.9 + 0.2 * this.#random.next()));
    this.#wait = this.#state === 'selecting' ? Math.min(2 * this.#wait, LAST_RETRANSMISSION) : 2 * this.#wait;
  }

  #request({ yiaddr, options }: DhcpMessage): void {
    const server = ipv4Of(options, SERVER_IDENTIFIER) ?? 0;
    this.#send('request', LIMITED_BROADCAST, 0, [serverOption(server), [REQUESTED_ADDRESS, uint32(yiaddr)]]);
  }

  #renew(now: Millis): void {
    const lease = this.#lease;
    if (lease === undefined) return;
    this.#state = now >= this.#rebindAt ? 'rebinding' : 'renewing';
    const to = this.#state === 'renewing' ? lease.server : LIMITED_BROADCAST;
    const deadline = this.#state === 'renewing' ? this.#rebindAt : this.#expiresAt;
    this.#timer.arm(Math.min(deadline, now + Math.max(MIN_RENEWAL_INTERVAL, (deadline - now) / 2)));
    this.#send('request', to, lease.interface.address, []);
  }

  #receive({ from, payload }: UdpDatagram): void {
    if (from.address.length !== 4) return;
    const message = parseDhcp(payload, 0, payload.length);
    if (typeof message === 'string' || message.op !== 'reply') return;
    if (message.xid !== this.#xid || message.chaddr !== this.#stack.mac) return;
    const isAsking = this.#state === 'requesting' || this.#state === 'renewing' || this.#state === 'rebinding';
    switch (messageTypeOf(message.options)) {
      case 'offer':
        if (this.#state === 'selecting' && ipv4Of(message.options, SERVER_IDENTIFIER) !== undefined)
          this.#accept(message);
        return;
      case 'ack':
        if (isAsking) this.#acknowledged(message);
        return;
      case 'nak':
        if (isAsking) this.#restart(RESTART_DELAY);
        return;
      default:
    }
  }

  #accept(offer: DhcpMessage): void {
    this.#offer = offer;
    this.#state = 'requesting';
    this.#wait = FIRST_RETRANSMISSION;
    this.#ask();
  }

  #acknowledged(ack: DhcpMessage): void {
    const lease = leaseOf(ack);
    if (lease === undefined) return;
    this.#timer.cancel();
    if (this.#state !== 'requesting') {
      this.#bind(ack, lease);
      return;
    }
    this.#state = 'probing';
    // RFC 2131, 4.4.1: the client should see that the address is not in use.
    this.#stack.arp.probe(ack.yiaddr, PROBE, (owner) => {
      if (this.#state !== 'probing' || this.#xid !== ack.xid) return;
      if (owner === undefined) this.#bind(ack, lease);
      else this.#decline(lease);
    });
  }

  #decline(lease: ClientLease): void {
    this.#send('decline', LIMITED_BROADCAST, 0, [
      serverOption(lease.server),
      [REQUESTED_ADDRESS, uint32(lease.interface.address)],
    ]);
    this.#restart(DECLINE_DELAY);
  }

  #bind(ack: DhcpMessage, lease: ClientLease): void {
    const now = this.#scheduler.now();
    const t1 = uint32Of(ack.options, RENEWAL_TIME) ?? 0;
    const t2 = uint32Of(ack.options, REBINDING_TIME) ?? 0;
    const isOrdered = t1 > 0 && t1 < t2 && t2 < lease.leaseTime; // RFC 2131, 4.4.5; otherwise its defaults
    this.#renewAt = now + 1000 * (isOrdered ? t1 : lease.leaseTime * 0.5);
    this.#rebindAt = now + 1000 * (isOrdered ? t2 : lease.leaseTime * 0.875);
    this.#expiresAt = now + 1000 * lease.leaseTime;
    this.#state = 'bound';
    if (this.#lease?.interface.address !== lease.interface.address) {
      this.#stack.configure({ interface: lease.interface, defaultRoute: lease.router });
      this.#stack.arp.announce();
    }
    this.#lease = lease;
    this.#timer.arm(Math.min(this.#renewAt, this.#expiresAt));
    this.#events.bound(lease);
  }

  #restart(delay: Millis): void {
    this.#forget();
    this.#state = 'init';
    this.#timer.arm(this.#scheduler.now() + delay);
  }

  #forget(): void {
    this.#offer = undefined;
    if (this.#lease === undefined) return;
    this.#lease = undefined;
    this.#stack.configure({});
    this.#events.lost();
  }

  #send(type: DhcpMessageType, to: Ipv4, ciaddr: Ipv4, options: readonly (readonly [number, Uint8Array])[]): void {
    const isRequest = type === 'discover' || type === 'request';
    const wishes = isRequest ? ([[PARAMETER_REQUEST_LIST, Uint8Array.from(PARAMETERS)]] as const) : [];
    const message: DhcpMessage = {
      op: 'request',
      hops: 0,
      xid: this.#xid,
      secs: 0,
      isBroadcast: false,
      ciaddr,
      yiaddr: 0,
      siaddr: 0,
      giaddr: 0,
      chaddr: this.#stack.mac,
      sname: '',
      file: '',
      options: new Map([[MESSAGE_TYPE, messageType(type)], ...options, [HOST_NAME, text(this.#hostname)], ...wishes]),
    };
    const out = new Uint8Array(DHCP_DEFAULT_LIMIT);
    const end = emitDhcp(message, out, 0, DHCP_DEFAULT_LIMIT);
    this.#socket?.send({ address: uint32(to), port: DHCP_SERVER_PORT }, out.subarray(0, end));
  }
}

function serverOption(server: Ipv4): readonly [number, Uint8Array] {
  return [SERVER_IDENTIFIER, uint32(server)];
}

/** What an ACK grants; undefined where it lacks what makes a lease. */
function leaseOf({ yiaddr, siaddr, file, options }: DhcpMessage): ClientLease | undefined {
  const server = ipv4Of(options, SERVER_IDENTIFIER);
  const mask = ipv4Of(options, SUBNET_MASK);
  const leaseTime = uint32Of(options, LEASE_TIME);
  if (server === undefined || mask === undefined || !leaseTime || yiaddr === 0) return undefined;
  const router = ipv4ListOf(options, ROUTER)[0];
  const bootfile = file === '' ? textOf(options, BOOTFILE_NAME) : file;
  const domain = textOf(options, DOMAIN_NAME);
  return {
    interface: { address: yiaddr, prefixLength: Math.clz32(~mask >>> 0) },
    ...(router === undefined ? {} : { router }),
    dns: ipv4ListOf(options, DOMAIN_NAME_SERVER),
    ...(domain === undefined ? {} : { domain }),
    server,
    bootServer: siaddr === 0 ? server : siaddr,
    ...(bootfile === undefined ? {} : { bootfile }),
    leaseTime,
  };
}
