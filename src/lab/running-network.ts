import { Counters } from '../base/counters.ts';
import type { Log } from '../base/log.ts';
import { limitLog } from '../base/log.ts';
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
import type { FlowListener } from '../nat/flow.ts';
import type { GuestForward } from '../nat/forward-spec.ts';
import type { Ipv4 } from '../wire/ipv4-address.ts';
import type { Mac } from '../wire/mac.ts';
import type { Environment, FolderShare } from './environment.ts';
import type { CaptureTarget, NetworkPlan, NicPlan } from './plan.ts';
import { gatewayPort, portName } from './plan.ts';

/** Messages a second that one network, and its gateway, may give. */
const LOG_RATE = 200;

/** One network of a running lab: its LAN, its gateway and its jacks. */
export class RunningNetwork {
  readonly gateway: Gateway | undefined;
  /** What the LAN dropped, and what was dropped at ports that are gone. */
  readonly drops = new Counters();
  readonly #share: FolderShare | undefined;
  #plan: NetworkPlan;
  readonly #nics = new Map<string, NicPlan>();
  readonly #report: Log;
  readonly #lan: Lan;
  readonly #switch: LearningSwitch | undefined;
  readonly #isTaken: (port: string) => boolean;
  readonly #jacks = new Map<string, Jack>();
  readonly #peers = new Map<Jack, string>();
  /** Who records here: one port by name, or (undefined) whatever comes in at any. */
  readonly #recorders = new Map<Recorder, string | undefined>();
  /** Ports that turned a machine away and said so. */
  readonly #busy = new Set<string>();

  /** Names of new ports are none for which `isTaken`: they are unique in the lab. */
  static async start(
    plan: NetworkPlan,
    nics: readonly NicPlan[],
    isTaken: (port: string) => boolean,
    environment: Environment,
    onFlow: FlowListener,
  ): Promise<RunningNetwork> {
    const { smb } = plan.gateway ?? {};
    const share = smb && (await environment.openShare(smb.folder));
    let gateway: Gateway | undefined;
    try {
      gateway = await gatewayOf(plan, share, environment, onFlow);
      const network = new RunningNetwork(plan, nics, isTaken, gateway, share, environment);
      await gateway?.start();
      return network;
    } catch (error) {
      await gateway?.stop();
      await share?.close();
      throw error;
    }
  }

  private constructor(
    plan: NetworkPlan,
    nics: readonly NicPlan[],
    isTaken: (port: string) => boolean,
    gateway: Gateway | undefined,
    share: FolderShare | undefined,
    environment: Environment,
  ) {
    this.#plan = plan;
    this.gateway = gateway;
    this.#share = share;
    this.#isTaken = isTaken;
    this.#report = limitLog(environment.log, environment.scheduler, LOG_RATE);
    const drops = countDrops(this.drops);
    this.#switch = plan.kind === 'switch' ? new LearningSwitch(environment.scheduler, drops) : undefined;
    this.#lan = this.#switch ?? new Hub(drops);
    for (const nic of nics) this.addNic(nic);
    if (gateway !== undefined) {
      this.plugStation(gatewayPort(plan.name), plan.gateway!.mac, () => gateway.port);
    }
  }

  /** A station of vmlan's own takes a port of that name, where it may count what it drops. */
  plugStation<Own extends Port>(name: string, mac: Mac, stationOf: (drops: Counters) => Own): Own {
    const jack = new Jack(name, mac);
    this.#jacks.set(name, jack);
    for (const [recorder, port] of this.#recorders) listen(recorder, port, jack);
    const station = stationOf(jack.drops);
    this.#plug(jack, station, 'built-in');
    return station;
  }

  /** It leaves, and its port with it. */
  unplugStation(name: string): void {
    const jack = this.#jacks.get(name);
    if (jack === undefined) return;
    this.#lan.unplug(jack);
    jack.disconnect();
    this.#jacks.delete(name);
    this.#peers.delete(jack);
    for (const recorder of this.#recorders.keys()) recorder.silence(jack);
  }

  /** Resolves when the gateway's conversations have ended and the leases are on disk. */
  async stop(): Promise<void> {
    await this.gateway?.stop();
    for (const jack of this.#jacks.values()) jack.disconnect();
    await this.#share?.close();
  }

  get plan(): NetworkPlan {
    return this.#plan;
  }

  /** The gateway answers as `plan` says, which differs in nothing else. */
  configure(plan: NetworkPlan): void {
    this.#plan = plan;
    if (plan.gateway !== undefined) this.gateway?.configure(plan.gateway);
  }

  /** A place for the card. */
  addNic(nic: NicPlan): void {
    this.#nics.set(portName(nic), nic);
    this.#addJack(new Jack(portName(nic), nic.mac));
  }

  /** Its machine is cut off; what was dropped there is the network's. */
  removeNic(nic: NicPlan): void {
    const jack = this.#jacks.get(portName(nic));
    if (jack?.isConnected) this.#leave(jack, { kind: 'closed' });
    this.#nics.delete(portName(nic));
    if (jack !== undefined) this.#forget(jack);
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

  /** Whether a capture of this would hear something here. */
  has(target: CaptureTarget): boolean {
    if (target.kind === 'port') return this.#jacks.has(target.port);
    return target.kind === 'lab' || target.network === this.plan.name;
  }

  /** The card that the lab file gives the port; none where anyone may plug in. */
  nicOf(jack: Jack): NicPlan | undefined {
    return this.#nics.get(jack.name);
  }

  peerOf(jack: Jack): string | undefined {
    return this.#peers.get(jack);
  }

  /** A machine takes the named port, or a new one of its own where no name is given. A port holds one machine. */
  welcome(arrival: Arrival, name: string | undefined): void {
    if (name === undefined) this.#seatAlone(arrival, new Jack(this.#freeName()));
    else this.#seat(arrival, this.#jacks.get(name)!);
  }

  /** A station takes a new port of this name, which is gone when the station leaves; `onGone` hears of that. A second one is turned away. */
  welcomeInvited(arrival: Arrival, port: string, mac: Mac, onGone: () => void): void {
    const there = this.#jacks.get(port);
    if (there === undefined) this.#seatAlone(arrival, new Jack(port, mac), onGone);
    else this.#seat(arrival, there);
  }

  /** The switch looks anew for the stations behind the port. */
  forgetStations(jack: Jack): void {
    if (!this.#peers.has(jack)) return;
    this.#lan.unplug(jack);
    this.#lan.plug(jack);
  }

  /** The recorder hears one port, both ways, or else every port of this network; machines that come later included. */
  record(recorder: Recorder, port: string | undefined): void {
    this.#recorders.set(recorder, port);
    for (const jack of this.#jacks.values()) listen(recorder, port, jack);
  }

  stopRecording(recorder: Recorder): void {
    this.#recorders.delete(recorder);
    for (const jack of this.#jacks.values()) recorder.silence(jack);
  }

  /** At a port that is there as long as the machine is. */
  #seatAlone(arrival: Arrival, jack: Jack, onGone: () => void = () => undefined): void {
    this.#addJack(jack);
    this.#seat(arrival, jack, () => {
      this.#forget(jack);
      onGone();
    });
  }

  #seat(arrival: Arrival, jack: Jack, onLeave: () => void = () => undefined): void {
    if (jack.isConnected) {
      arrival.refuse();
      this.#noteBusy(jack, arrival.peer);
      return;
    }
    const machine = arrival.accept(jack, (why) => {
      this.#leave(jack, why);
      onLeave();
    });
    this.#plug(jack, machine, arrival.peer);
    this.#log('port-connected', `${jack.name} connected`, { port: jack.name, peer: arrival.peer });
  }

  #addJack(jack: Jack): void {
    this.#jacks.set(jack.name, jack);
    for (const [recorder, port] of this.#recorders) listen(recorder, port, jack);
  }

  #freeName(): string {
    let number = 1;
    while (this.#isTaken(`vm${number}`)) number++;
    return `vm${number}`;
  }

  #plug(jack: Jack, machine: Port, peer: string): void {
    jack.connect(machine);
    this.#lan.plug(jack);
    this.#peers.set(jack, peer);
  }

  #leave(jack: Jack, why: LeaveReason): void {
    if (!this.#peers.has(jack)) return; // it was cut off already
    this.#lan.unplug(jack);
    jack.disconnect();
    if (why.kind === 'zero-length' || why.kind === 'oversized-length') jack.drops.add(why.kind);
    this.#peers.delete(jack);
    this.#busy.delete(jack.name);
    this.#log('port-left', `${jack.name} left: ${leaveText(why)}`, {
      port: jack.name,
      reason: why.kind,
      fromGuest: { ...jack.fromGuest },
      toGuest: { ...jack.toGuest },
      drops: jack.drops.toRecord(),
    });
  }

  #forget(jack: Jack): void {
    this.#jacks.delete(jack.name);
    for (const [reason, frames] of Object.entries(jack.drops.toRecord())) this.drops.add(reason, frames);
    for (const recorder of this.#recorders.keys()) recorder.silence(jack);
  }

  /** Once, although the machine that was turned away comes again and again. */
  #noteBusy({ name }: Jack, peer: string): void {
    if (this.#busy.has(name)) return;
    this.#busy.add(name);
    this.#log('port-busy', `${name} has a machine already; another one at ${peer} is turned away`, {
      port: name,
      peer,
    });
  }

  #log(event: string, message: string, fields: Record<string, unknown>): void {
    this.#report({ event, message, network: this.plan.name, ...fields });
  }
}

function listen(recorder: Recorder, port: string | undefined, jack: Jack): void {
  if (port === undefined) recorder.listen(jack, 'from-guest');
  else if (port === jack.name) recorder.listen(jack, 'both');
}

async function gatewayOf(
  { name, mtu, gateway: plan }: NetworkPlan,
  share: FolderShare | undefined,
  environment: Environment,
  onFlow: FlowListener,
): Promise<Gateway | undefined> {
  if (plan === undefined) return undefined;
  const { tftpFolder, smb, ...config } = plan;
  const guestForwards = [...config.guestForwards, ...(smb && share ? shareForwards(smb.address, share) : [])];
  const log = limitLog(environment.log, environment.scheduler, LOG_RATE);
  const tftp = tftpFolder === undefined ? undefined : await environment.openFolder(tftpFolder);
  return new Gateway(
    { ...config, guestForwards, mtu, ...(tftp && { tftp }) },
    {
      net: environment.net,
      resolvers: environment.resolvers,
      scheduler: environment.scheduler,
      wallClock: environment.wallClock,
      random: environment.random,
      log: (entry) => log({ ...entry, network: name }),
      leases: environment.openState(`${name}.leases.json`),
      leases6: environment.openState(`${name}.leases6.json`),
      onFlow,
    },
  );
}

/** SMB over NetBIOS sessions (RFC 1002) and by itself. */
const SMB_PORTS = [139, 445] as const;

function shareForwards(address: Ipv4, { path }: FolderShare): readonly GuestForward[] {
  return SMB_PORTS.map((port) => ({ address, port, to: { kind: 'unix', path } }));
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
