/**
 * The station that a network of machines finds at its gateway address: it answers ARP, neighbour solicitations and ping, offers DHCP
 * and TFTP, and tells who asks for one that there is no IPv6 router.
 *
 * Theory of operation. One stack, and on it the services: router advertisements always, the others as the configuration names them.
 * The gateway is a `Port` like any machine's, so a LAN, a capture and a test see nothing special in it. Leases are read before the
 * services start and are written by them.
 */
import type { Random } from '../base/chance.ts';
import { Counters } from '../base/counters.ts';
import type { FileTree, StateFile } from '../base/files.ts';
import type { Log } from '../base/log.ts';
import type { Scheduler, WallClock } from '../base/time.ts';
import type { Port } from '../link/port.ts';
import type { DhcpConfig } from '../service/dhcp/dhcp-config.ts';
import type { LeaseEntry } from '../service/dhcp/leases.ts';
import { DhcpServer } from '../service/dhcp/server.ts';
import { RouterAdvertisements } from '../service/router-advertisements.ts';
import type { Service } from '../service/service.ts';
import { TftpServer } from '../service/tftp/server.ts';
import { Stack } from '../stack/stack.ts';
import type { Ipv4Interface } from '../wire/ipv4-address.ts';
import type { Mac } from '../wire/mac.ts';

export interface GatewayConfig {
  readonly mac: Mac;
  /** Octets of an IP packet on the network. */
  readonly mtu: number;
  readonly interface: Ipv4Interface;
  readonly dhcp?: DhcpConfig;
  /** What TFTP offers; there is no TFTP without it. */
  readonly tftp?: FileTree;
}

export interface GatewayOutside {
  readonly scheduler: Scheduler;
  readonly wallClock: WallClock;
  readonly random: Random;
  readonly log: Log;
  /** Where leases survive a restart. */
  readonly leases?: StateFile;
}

export class Gateway {
  /** What the stack dropped and the services refused, by name. */
  readonly counters = new Counters();
  readonly #stack: Stack;
  readonly #dhcp: DhcpServer | undefined;
  readonly #services: readonly Service[];

  constructor(config: GatewayConfig, outside: GatewayOutside) {
    const { mac, mtu, dhcp, tftp } = config;
    const { counters } = this;
    this.#stack = new Stack({ mac, mtu, scheduler: outside.scheduler, random: outside.random, drops: counters });
    this.#stack.configure({ interface: config.interface });
    this.#dhcp = dhcp && new DhcpServer(dhcp, config.interface, mtu, { ...outside, counters });
    const files = tftp && new TftpServer(tftp, mtu, { ...outside, counters });
    const advertisements = new RouterAdvertisements(outside.scheduler, outside.random);
    this.#services = [advertisements, this.#dhcp, files].filter((service) => service !== undefined);
  }

  /** Where the gateway plugs into its LAN. */
  get port(): Port {
    return this.#stack;
  }

  /** Resolves when the leases are read and the services answer. */
  async start(): Promise<void> {
    await this.#dhcp?.load();
    for (const service of this.#services) service.start(this.#stack);
  }

  /** Resolves when the leases are on disk. */
  async stop(): Promise<void> {
    for (const service of this.#services) service.stop();
    await this.#dhcp?.settled();
  }

  /** Who has which address; nobody where there is no DHCP. */
  leases(): readonly LeaseEntry[] {
    return this.#dhcp?.leases() ?? [];
  }
}
