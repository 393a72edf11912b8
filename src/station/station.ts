/**
 * A machine made of nothing but this program: it takes a lease, fetches files and pings, over the same LAN as real ones.
 * Its parts run on the scheduler's timers; promises exist only here, at the edge.
 */
import type { Random } from '../base/chance.ts';
import type { Millis, Scheduler } from '../base/time.ts';
import type { Port } from '../link/port.ts';
import type { PingOptions, PingResult } from '../stack/icmp.ts';
import { Stack } from '../stack/stack.ts';
import type { Ipv4 } from '../wire/ipv4-address.ts';
import type { Mac } from '../wire/mac.ts';
import type { ClientLease } from './dhcp-client.ts';
import { DhcpClient } from './dhcp-client.ts';
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

const PING_TIMEOUT: Millis = 1000;

export class Station {
  readonly name: string;
  readonly mac: Mac;
  readonly #scheduler: Scheduler;
  readonly #stack: Stack;
  readonly #dhcp: DhcpClient;
  #lease: ClientLease | undefined;
  #onLease: (lease: ClientLease | undefined) => void = () => undefined;

  constructor({ name, mac, mtu, scheduler, random }: StationOptions) {
    this.name = name;
    this.mac = mac;
    this.#scheduler = scheduler;
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

  ping(address: Ipv4, options: PingOptions = { timeout: PING_TIMEOUT }): Promise<PingResult> {
    return new Promise((resolve) => this.#stack.ping(address, options, resolve));
  }
}
