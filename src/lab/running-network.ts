import { Counters } from '../base/counters.ts';
import type { Recorder } from '../capture/recorder.ts';
import { Gateway } from '../gateway/gateway.ts';
import { Hub } from '../lan/hub.ts';
import type { Lan } from '../lan/lan.ts';
import { LearningSwitch } from '../lan/learning-switch.ts';
import type { Station } from '../lan/station-table.ts';
import type { Arrival, LeaveReason } from '../link/arrival.ts';
import { countDrops } from '../link/drops.ts';
import { Jack } from '../link/jack.ts';
import type { Port } from '../link/port.ts';
import type { Environment } from './environment.ts';
import type { NetworkPlan, NicPlan } from './plan.ts';
import { portName } from './plan.ts';

/** What a capture of a port hears: all of it, or what came in there (a LAN's capture has each frame once, where it entered). */
export type Hearing = 'both' | 'from-guest';

/** One network of a running lab: its LAN, its gateway and its jacks. */
export class RunningNetwork {
  readonly plan: NetworkPlan;
  readonly gateway: Gateway | undefined;
  readonly drops = new Counters();
  readonly #nics: readonly NicPlan[];
  readonly #environment: Environment;
  readonly #lan: Lan;
  readonly #switch: LearningSwitch | undefined;
  readonly #jacks = new Map<string, Jack>();
  readonly #peers = new Map<Jack, string>();
  readonly #recorders = new Set<Recorder>();

  static async start(plan: NetworkPlan, nics: readonly NicPlan[], environment: Environment): Promise<RunningNetwork> {
    const network = new RunningNetwork(plan, nics, await gatewayOf(plan, environment), environment);
    await network.gateway?.start();
    return network;
  }

  private constructor(
    plan: NetworkPlan,
    nics: readonly NicPlan[],
    gateway: Gateway | undefined,
    environment: Environment,
  ) {
    this.plan = plan;
    this.gateway = gateway;
    this.#nics = nics;
    this.#environment = environment;
    const drops = countDrops(this.drops);
    this.#switch = plan.kind === 'switch' ? new LearningSwitch(environment.scheduler, drops) : undefined;
    this.#lan = this.#switch ?? new Hub(drops);
    for (const nic of nics) this.#jacks.set(portName(nic), new Jack(portName(nic), nic.mac));
    if (gateway !== undefined) {
      const jack = new Jack(`${plan.name}:gateway`, plan.gateway?.mac);
      this.#jacks.set(jack.name, jack);
      this.#plug(jack, gateway.port, 'built-in');
    }
  }

  get jacks(): Iterable<Jack> {
    return this.#jacks.values();
  }

  /** Stations that the switch knows; a hub knows none. */
  get stations(): Iterable<Station> {
    return this.#switch?.stations ?? [];
  }

  jack(name: string): Jack | undefined {
    return this.#jacks.get(name);
  }

  jackOf(port: Port): Jack | undefined {
    for (const jack of this.#jacks.values()) if (jack === port) return jack;
    return undefined;
  }

  /** The card that the lab file gives the port; none where anyone may plug in. */
  nicOf(jack: Jack): NicPlan | undefined {
    return this.#nics.find((nic) => portName(nic) === jack.name);
  }

  peerOf(jack: Jack): string | undefined {
    return this.#peers.get(jack);
  }

  /** A station of our own takes a new port. */
  plugStation(name: string, station: Port): void {
    this.#plug(this.#newJack(name), station, 'built-in');
  }

  /** A machine takes the named port, or a new one of its own where no name is given. A port holds one machine. */
  welcome(arrival: Arrival, name: string | undefined): void {
    const jack = name === undefined ? this.#newJack(this.#freeName()) : this.#jacks.get(name);
    if (jack === undefined || jack.isConnected) {
      arrival.refuse();
      this.#log('port-busy', `${name} has a machine already; the connection from ${arrival.peer} was closed`, {
        port: name,
      });
      return;
    }
    const machine = arrival.accept(jack, (why) => this.#leave(jack, why, name === undefined));
    this.#plug(jack, machine, arrival.peer);
    this.#log('port-connected', `${jack.name} connected`, { port: jack.name, peer: arrival.peer });
  }

  /** The recorder hears every port of this network, those that come later included. */
  record(recorder: Recorder): void {
    this.#recorders.add(recorder);
    for (const jack of this.#jacks.values()) recorder.listen(jack, 'from-guest');
  }

  stopRecording(recorder: Recorder): void {
    this.#recorders.delete(recorder);
    for (const jack of this.#jacks.values()) recorder.silence(jack);
  }

  #newJack(name: string): Jack {
    const jack = new Jack(name);
    this.#jacks.set(name, jack);
    for (const recorder of this.#recorders) recorder.listen(jack, 'from-guest');
    return jack;
  }

  #freeName(): string {
    let number = 1;
    while (this.#jacks.has(`vm${number}`)) number++;
    return `vm${number}`;
  }

  #plug(jack: Jack, machine: Port, peer: string): void {
    jack.connect(machine);
    this.#lan.plug(jack);
    this.#peers.set(jack, peer);
  }

  #leave(jack: Jack, why: LeaveReason, isOnItsOwn: boolean): void {
    this.#lan.unplug(jack);
    jack.disconnect();
    this.#peers.delete(jack);
    if (isOnItsOwn) {
      this.#jacks.delete(jack.name);
      for (const recorder of this.#recorders) recorder.silence(jack);
    }
    this.#log('port-left', `${jack.name} left: ${leaveText(why)}`, {
      port: jack.name,
      reason: why.kind,
      fromGuest: { ...jack.fromGuest },
      toGuest: { ...jack.toGuest },
      drops: jack.drops.toRecord(),
    });
  }

  #log(event: string, message: string, fields: Record<string, unknown>): void {
    this.#environment.log({ event, message, network: this.plan.name, ...fields });
  }
}

async function gatewayOf(
  { name, mtu, gateway: plan }: NetworkPlan,
  environment: Environment,
): Promise<Gateway | undefined> {
  if (plan === undefined) return undefined;
  const { mac, interface: ownInterface, dhcp, tftpFolder } = plan;
  const tftp = tftpFolder === undefined ? undefined : await environment.openFolder(tftpFolder);
  return new Gateway(
    { mac, mtu, interface: ownInterface, ...(dhcp && { dhcp }), ...(tftp && { tftp }) },
    {
      scheduler: environment.scheduler,
      wallClock: environment.wallClock,
      random: environment.random,
      log: (entry) => environment.log({ ...entry, network: name }),
      leases: environment.openState(`${name}.leases.json`),
    },
  );
}

function leaveText(why: LeaveReason): string {
  switch (why.kind) {
    case 'hung-up':
      return 'it hung up';
    case 'zero-length':
      return 'it announced a frame of 0 octets; its place in the stream is lost';
    case 'oversized-length':
      return `it announced a frame of ${why.length} octets; that is not QEMU's framing`;
    case 'socket-error':
      return `its socket failed (${why.code})`;
    case 'closed':
      return 'vmlan closed it';
  }
}
