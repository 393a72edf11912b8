/**
 * A machine made of nothing but this program: it takes a lease, resolves names, fetches and serves files, and pings, over the same LAN as real ones.
 * Its parts run on the scheduler's timers; promises exist only here, at the edge.
 */
import type { Random } from '../base/chance.ts';
import type { Endpoint } from '../base/endpoint.ts';
import type { Millis, Scheduler } from '../base/time.ts';
import type { Port } from '../link/port.ts';
import type { PingOptions, PingResult } from '../stack/pings.ts';
import { Stack } from '../stack/stack.ts';
import type { TcpConnection, TcpEvents, TcpListener } from '../stack/tcp-layer.ts';
import type { Ipv4 } from '../wire/ipv4-address.ts';
import { ipv4Octets } from '../wire/ipv4-address.ts';
import type { Mac } from '../wire/mac.ts';
import type { ClientLease } from './dhcp-client.ts';
import { DhcpClient } from './dhcp-client.ts';
import type { HttpResult } from './http-fetch.ts';
import { HttpFetch } from './http-fetch.ts';
import { serveHttp } from './http-server.ts';
import type { LookupResult } from './name-lookup.ts';
import { addressQuestion, NameLookup } from './name-lookup.ts';
import type { FetchOptions, FetchResult } from './tftp-client.ts';
import { TftpFetch } from './tftp-client.ts';

export interface StationOptions {
  /** Also its host name. */
  readonly name: string;
  readonly mac: Mac;
  readonly mtu: number;
  readonly scheduler: Scheduler;
  readonly random: Random;
}

/** Where a station is, and whom it asks for the rest. */
export type StationAddress = Pick<ClientLease, 'interface' | 'router' | 'dns'>;

const PING_TIMEOUT: Millis = 1000;

export class Station {
  readonly name: string;
  readonly mac: Mac;
  readonly #scheduler: Scheduler;
  readonly #random: Random;
  readonly #stack: Stack;
  readonly #dhcp: DhcpClient;
  #lease: ClientLease | undefined;
  #taken: StationAddress | undefined;
  #onLease: (lease: ClientLease | undefined) => void = () => undefined;

  constructor({ name, mac, mtu, scheduler, random }: StationOptions) {
    this.name = name;
    this.mac = mac;
    this.#scheduler = scheduler;
    this.#random = random;
    this.#stack = new Stack({ mac, mtu, scheduler, random });
    this.#dhcp = new DhcpClient(this.#stack, name, scheduler, random, {
      bound: (lease) => {
        this.#lease = lease;
        this.#onLease(lease);
      },
      lost: () => {
        this.#lease = undefined;
      },
    });
  }

  /** Where the station plugs into a LAN. */
  get port(): Port {
    return this.#stack;
  }

  /** What DHCP gave, as long as it is valid. */
  get lease(): ClientLease | undefined {
    return this.#lease;
  }

  /** Asks for a lease and keeps it alive from then on; undefined where none came within `timeout`, and the station is off again. */
  boot(timeout: Millis): Promise<ClientLease | undefined> {
    return new Promise((resolve) => {
      const deadline = this.#scheduler.timer(() => {
        this.#dhcp.stop();
        this.#onLease(undefined);
      });
      this.#onLease = (lease) => {
        this.#onLease = () => undefined;
        deadline.cancel();
        resolve(lease);
      };
      deadline.arm(this.#scheduler.now() + timeout);
      this.#dhcp.start();
    });
  }

  /** What DHCP gave, or what was taken without it. */
  get address(): StationAddress | undefined {
    return this.#lease ?? this.#taken;
  }

  /** Takes an address that nobody gave. */
  take(address: StationAddress): void {
    this.#taken = address;
    this.#stack.configure({ interface: address.interface, defaultRoute: address.router });
    this.#stack.arp.announce();
  }

  /** Opens a connection; events as the TCP layer has them. Throws where the station has no address. */
  connect(to: Endpoint, events: TcpEvents): TcpConnection {
    const own = this.address?.interface.address;
    if (own === undefined) throw new Error(`${this.name} has no address`);
    return this.#stack.tcp.connect({ address: ipv4Octets(own), port: 0 }, to, events);
  }

  /** Gives the lease back and falls silent. */
  shutDown(): void {
    this.#dhcp.release();
  }

  /** Falls silent without a word. */
  cutPower(): void {
    this.#dhcp.stop();
  }

  /** Reads a file from `server` by TFTP; from the server of the lease where that is undefined. */
  fetch(file: string, options: FetchOptions = {}, server = this.#lease?.bootServer): Promise<FetchResult> {
    if (server === undefined) return Promise.resolve({ kind: 'timeout' });
    return new Promise((resolve) => new TftpFetch(this.#stack.udp, this.#scheduler, server, file, options, resolve));
  }

  /** Asks the first name server that it knows for the addresses of a name. */
  lookUp(name: string): Promise<LookupResult> {
    const server = this.address?.dns[0];
    const question = addressQuestion(name);
    if (question === undefined) return Promise.resolve({ kind: 'bad-name' });
    if (server === undefined) return Promise.resolve({ kind: 'timeout' });
    return new Promise((resolve) => {
      new NameLookup(this.#stack.udp, this.#scheduler, this.#random, server, question, resolve);
    });
  }

  /** Reads `path` of the web server at `to`, which knows itself as `host`. */
  fetchHttp(to: Endpoint, host: string, path: string): Promise<HttpResult> {
    const own = this.#lease?.interface.address;
    if (own === undefined) return Promise.resolve({ kind: 'failed', why: 'unreachable' });
    return new Promise((resolve) => {
      new HttpFetch(this.#stack.tcp, this.#scheduler, ipv4Octets(own), to, { host, path }, resolve);
    });
  }

  /** Serves texts by their paths at `port` from now on. */
  serveHttp(port: number, textAt: (path: string) => string | undefined): TcpListener {
    return serveHttp(this.#stack.tcp, port, textAt);
  }

  ping(address: Ipv4, options: PingOptions = { timeout: PING_TIMEOUT }): Promise<PingResult> {
    return new Promise((resolve) => this.#stack.ping(address, options, resolve));
  }
}
