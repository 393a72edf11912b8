/**
 * A machine made of nothing but this program: it takes a lease, makes itself an IPv6 address, resolves names, fetches and serves files, and
 * pings, over the same LAN as real ones.
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
import type { Ipv6 } from '../wire/ipv6-address.ts';
import type { Mac } from '../wire/mac.ts';
import type { Ipv6Place } from './autoconfiguration.ts';
import { Autoconfiguration } from './autoconfiguration.ts';
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
  readonly #autoconfiguration: Autoconfiguration;
  #ipv6: Ipv6Place | undefined;
  #onPlace: (place: Ipv6Place | undefined) => void = () => undefined;
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
    this.#autoconfiguration = new Autoconfiguration(this.#stack, scheduler, (place) => {
      this.takeIpv6(place);
      if (place !== undefined) this.#onPlace(place);
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

  /** Makes itself an IPv6 address as the routers of the link say, and keeps it as they say from then on; undefined where none says so within `timeout`. */
  autoconfigure(timeout: Millis): Promise<Ipv6Place | undefined> {
    return new Promise((resolve) => {
      const deadline = this.#scheduler.timer(() => this.#onPlace(undefined));
      this.#onPlace = (place) => {
        this.#onPlace = () => undefined;
        deadline.cancel();
        resolve(place);
      };
      deadline.arm(this.#scheduler.now() + timeout);
      this.#autoconfiguration.start();
    });
  }

  /** Where it is on an IPv6 link; undefined while it only has its link-local address. */
  get ipv6(): Ipv6Place | undefined {
    return this.#ipv6;
  }

  /** Takes an IPv6 address that nobody gave, or gives up the one it has. */
  takeIpv6(place: Ipv6Place | undefined): void {
    this.#ipv6 = place;
    this.#stack.configureIpv6({ interface: place?.interface, defaultRoute: place?.router });
  }

  /** The address that it talks to `to` from. */
  #ownTowards(to: Uint8Array): Uint8Array | undefined {
    if (to.length === 16) return this.#ipv6?.interface.address;
    const own = this.address?.interface.address;
    return own === undefined ? undefined : ipv4Octets(own);
  }

  /** Opens a connection; events as the TCP layer has them. Throws where the station has no address of that family. */
  connect(to: Endpoint, events: TcpEvents): TcpConnection {
    const own = this.#ownTowards(to.address);
    if (own === undefined) throw new Error(`${this.name} has no address`);
    return this.#stack.tcp.connect({ address: own, port: 0 }, to, events);
  }

  /** Gives the lease back and falls silent. */
  shutDown(): void {
    this.#autoconfiguration.stop();
    this.#dhcp.release();
  }

  /** Falls silent without a word. */
  cutPower(): void {
    this.#autoconfiguration.stop();
    this.#dhcp.stop();
  }

  /** Reads a file from `server` by TFTP; from the server of the lease where that is undefined. */
  fetch(file: string, options: FetchOptions = {}, server = this.#bootServer): Promise<FetchResult> {
    if (server === undefined) return Promise.resolve({ kind: 'timeout' });
    return new Promise((resolve) => new TftpFetch(this.#stack.udp, this.#scheduler, server, file, options, resolve));
  }

  get #bootServer(): Uint8Array | undefined {
    const server = this.#lease?.bootServer;
    return server === undefined ? undefined : ipv4Octets(server);
  }

  /** Asks the first name server that it knows for the addresses of a name. */
  lookUp(name: string, type: 'A' | 'AAAA' = 'A'): Promise<LookupResult> {
    const [server] = [...(this.address?.dns ?? []).map(ipv4Octets), ...(this.#ipv6?.dns ?? [])];
    const question = addressQuestion(name, type);
    if (question === undefined) return Promise.resolve({ kind: 'bad-name' });
    if (server === undefined) return Promise.resolve({ kind: 'timeout' });
    return new Promise((resolve) => {
      new NameLookup(this.#stack.udp, this.#scheduler, this.#random, server, question, resolve);
    });
  }

  /** Reads `path` of the web server at `to`, which knows itself as `host`. */
  fetchHttp(to: Endpoint, host: string, path: string): Promise<HttpResult> {
    const own = this.#ownTowards(to.address);
    if (own === undefined) return Promise.resolve({ kind: 'failed', why: 'unreachable' });
    return new Promise((resolve) => {
      new HttpFetch(this.#stack.tcp, this.#scheduler, own, to, { host, path }, resolve);
    });
  }

  /** Serves texts by their paths at `port` from now on. */
  serveHttp(port: number, textAt: (path: string) => string | undefined): TcpListener {
    return serveHttp(this.#stack.tcp, port, textAt);
  }

  ping(address: Ipv4 | Ipv6, options: PingOptions = { timeout: PING_TIMEOUT }): Promise<PingResult> {
    return new Promise((resolve) => this.#stack.ping(address, options, resolve));
  }
}
