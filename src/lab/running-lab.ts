/**
 * A lab at work: its networks, the doors where machines arrive, and its captures.
 *
 * `start` either brings up all of it or, where a door or a file cannot be opened, takes down what stood already and rejects. Machines
 * that cannot be started are told of, and keep nobody from running.
 */
import type { ByteSink } from '../base/files.ts';
import { formatSocketAddress } from '../base/socket-address.ts';
import type { RecorderOptions, RecordingEnd } from '../capture/recorder.ts';
import { Recorder } from '../capture/recorder.ts';
import type { Door } from '../link/arrival.ts';
import type { FlowListener } from '../nat/flow.ts';
import type { HostForwards } from '../nat/host-forwards.ts';
import { DropWatch } from './drop-watch.ts';
import type { Environment } from './environment.ts';
import type { EventFeed, EventListener } from './event-feed.ts';
import { flowStatus } from './flow-status.ts';
import { forwardPlaces } from './forward-place.ts';
import { Invitations } from './invitations.ts';
import { KeptForwards } from './kept-forwards.ts';
import { LabForwards } from './lab-forwards.ts';
import { LabMachines } from './lab-machines.ts';
import { LabRouting } from './lab-routing.ts';
import { namesStatus } from './name-status.ts';
import { nodeStatus } from './node-status.ts';
import type { NodeStatus } from './node-status-schema.ts';
import type { CapturePlan, CaptureTarget, DoorPlan, LabPlan, NicPlan } from './plan.ts';
import { portName } from './plan.ts';
import { RunningNetwork } from './running-network.ts';
import { leaseStatus, networkStatus, portStatus, routerStatus } from './status.ts';
import type { CaptureStatus, FlowStatus, LabStatus, LeaseStatus, MacStatus, NamesStatus } from './status-schemas.ts';

export class RunningLab {
  readonly plan: LabPlan;
  readonly forwards: LabForwards;
  readonly #drops: DropWatch;
  readonly #environment: Environment;
  readonly machines: LabMachines;
  readonly #networks = new Map<string, RunningNetwork>();
  readonly #routing: LabRouting;
  readonly #doors: Door[] = [];
  readonly #captures = new Map<string, RunningCapture>();
  /** Ports for stations that come while the lab runs. */
  readonly invitations: Invitations;
  #lastCapture = 0;

  static async start(plan: LabPlan, doors: readonly DoorPlan[], environment: Environment): Promise<RunningLab> {
    const lab = new RunningLab(plan, doors, environment);
    try {
      await lab.#start(doors);
      await lab.machines.start(plan.machines ?? []);
    } catch (error) {
      await lab.stop();
      throw error;
    }
    return lab;
  }

  private constructor(plan: LabPlan, doorPlans: readonly DoorPlan[], environment: Environment) {
    this.plan = plan;
    this.#drops = new DropWatch(
      environment.scheduler,
      () => this.#networks.values(),
      () => this.events.hasListeners,
      (entry) => this.events.tell(() => entry),
    );
    this.#environment = environment;
    this.#routing = new LabRouting(environment);
    this.forwards = new LabForwards({
      places: () => forwardPlaces(this.plan),
      networks: () => this.#networkForwards(),
      kept: new KeptForwards(environment.openState('forwards.json'), environment.log),
      log: environment.log,
    });
    this.invitations = new Invitations(plan, environment, (port) => this.#isTaken(port));
    this.machines = new LabMachines(() => ({ plan: this.plan, doorPlans }), environment);
  }

  get doors(): readonly Door[] {
    return this.#doors;
  }

  network(name: string): RunningNetwork | undefined {
    return this.#networks.get(name);
  }

  status(): LabStatus {
    const now = this.#environment.scheduler.now();
    const networks = [...this.#networks.values()];
    return {
      name: this.plan.name,
      networks: networks.map((network) => networkStatus(network, now)),
      ports: networks.flatMap((network) => [...network.jacks].map((jack) => portStatus(network, jack))),
      routers: [...this.#routing.routers].map(routerStatus),
      captures: this.captures(),
      forwards: this.forwards.list(),
    };
  }

  /** What happens. */
  get events(): EventFeed {
    return this.#environment.events;
  }

  /** Hears what the log says, and what conversations begin and end and what is dropped; the result ends that. */
  listen(listener: EventListener): () => void {
    const stop = this.events.listen(listener);
    this.#drops.start();
    return stop;
  }

  /** Conversations of guests with the world and with the host. */
  flows(): FlowStatus[] {
    return [...this.#networks].flatMap(([name, { gateway }]) =>
      [...(gateway?.flows ?? [])].map((flow) => flowStatus(name, flow)),
    );
  }

  /** Stations that switches know. */
  macs(): MacStatus[] {
    const now = this.#environment.scheduler.now();
    return [...this.#networks].flatMap(([name, network]) =>
      networkStatus(network, now).stations.map((station) => ({ network: name, ...station })),
    );
  }

  /** Of every network that has a name server. */
  names(): NamesStatus[] {
    return [...this.#networks].flatMap(([name, { plan, gateway }]) =>
      gateway === undefined || plan.gateway?.dns === undefined
        ? []
        : [namesStatus(name, plan.gateway.dns, gateway.names.all())],
    );
  }

  /** Every node of the lab; its machine is its owner's where vmlan does not start it. */
  nodes(): NodeStatus[] {
    const now = this.#environment.scheduler.now();
    const isConnected = (nic: NicPlan) => this.#networks.get(nic.network)?.jack(portName(nic))?.isConnected === true;
    const { nics } = this.plan;
    return [...new Set(nics.map(({ node }) => node))].map((node) => {
      const own = nics.filter((nic) => nic.node === node);
      return nodeStatus(node, own, isConnected, this.machines.get(node), now);
    });
  }

  leases(): LeaseStatus[] {
    return [...this.#networks.values()].flatMap((network) =>
      (network.gateway?.leases() ?? []).map((lease) => leaseStatus(network.plan.name, lease)),
    );
  }

  captures(): CaptureStatus[] {
    return [...this.#captures.values()].map((capture) => capture.status());
  }

  /** Completes the capture of that id; false where it has ended. */
  async endCapture(id: string): Promise<boolean> {
    const capture = this.#captures.get(id);
    await capture?.stop();
    return capture !== undefined;
  }

  /** Begins a capture; undefined where the lab has no such network or port. It ends by itself at a limit of `options` or with the lab. */
  capture(
    of: CaptureTarget,
    format: 'pcap' | 'pcapng',
    sink: ByteSink,
    options: RecorderOptions,
    label: string,
  ): RunningCapture | undefined {
    const networks = [...this.#networks.values()].filter((network) => network.has(of));
    if (networks.length === 0) return undefined;
    const { scheduler, wallClock } = this.#environment;
    const recorder = new Recorder(format, sink, scheduler, wallClock, options);
    for (const network of networks) network.record(recorder, of.kind === 'port' ? of.port : undefined);
    const capture = new RunningCapture(`${++this.#lastCapture}`, recorder, of, label);
    this.#captures.set(capture.id, capture);
    void recorder.ended.then((end) => this.#captureEnded(capture, end));
    return capture;
  }

  /** Machines of ours are stopped, others cut off, sockets unlinked; resolves when every capture is complete and the leases are on disk. */
  async stop(): Promise<void> {
    await this.machines.stop();
    await Promise.all([...this.#doors.map((door) => door.close()), this.invitations.close()]);
    await Promise.all([...this.#networks.values()].map((network) => network.stop()));
    await Promise.all([...this.#captures.values()].map((capture) => capture.stop()));
    this.events.end();
  }

  #flowListener(network: string): FlowListener {
    return (change, flow) =>
      this.events.tell(() => {
        const status = flowStatus(network, flow);
        const { protocol, initiator, guest, peer, target } = status;
        const ends =
          initiator === 'guest'
            ? `${guest} to ${peer ?? target ?? 'others'}`
            : `${target ?? peer ?? 'others'} to ${guest}`;
        return { event: `flow-${change}`, message: `${protocol} from ${ends} ${change}`, ...status };
      });
  }

  #networkForwards(): ReadonlyMap<string, HostForwards> {
    const gateways = [...this.#networks].flatMap(([name, { gateway }]) =>
      gateway === undefined ? [] : [[name, gateway.forwards] as const],
    );
    return new Map(gateways);
  }

  async #start(doors: readonly DoorPlan[]): Promise<void> {
    const { plan } = this;
    const isTaken = (port: string) => this.#isTaken(port);
    for (const network of plan.networks) {
      const nics = plan.nics.filter((nic) => nic.network === network.name);
      const onFlow = this.#flowListener(network.name);
      this.#networks.set(network.name, await RunningNetwork.start(network, nics, isTaken, this.#environment, onFlow));
    }
    this.#routing.join(this.#networks, plan.routers ?? []);
    await this.forwards.restore();
    for (const capture of plan.captures) await this.#startCapture(capture);
    for (const door of doors) this.#doors.push(await this.#openDoor(door, this.#networks.get(door.network)!));
  }

  /** Whether a port has the name, or is about to. */
  #isTaken(port: string): boolean {
    const has = (network: RunningNetwork) => network.jack(port) !== undefined;
    return this.invitations.has(port) || [...this.#networks.values()].some(has);
  }

  #openDoor({ mode, address, port }: DoorPlan, network: RunningNetwork): Promise<Door> {
    const trouble = (code: string) => {
      const where = formatSocketAddress(address);
      this.#environment.log({
        event: 'door-trouble',
        message: `${where} cannot be reached (${code}); vmlan goes on trying`,
        door: where,
        code,
      });
    };
    return this.#environment.openDoor(mode, address, (arrival) => network.welcome(arrival, port), trouble);
  }

  async #startCapture({ file, format, of, snapLength }: CapturePlan): Promise<void> {
    const sink = await this.#environment.createFile(file);
    this.capture(of, format, sink, snapLength === undefined ? {} : { snapLength }, file);
  }

  #captureEnded(capture: RunningCapture, end: RecordingEnd): void {
    this.#captures.delete(capture.id);
    for (const network of this.#networks.values()) network.stopRecording(capture.recorder);
    const { frames, lost } = capture.recorder.statistics;
    this.#environment.log({
      event: end.reason === 'write-error' ? 'capture-failed' : 'capture-ended',
      message: `capture ${capture.label} ${endText(end)}: ${frames} frames, ${lost} lost`,
      capture: capture.label,
      reason: end.reason,
      frames,
      lost,
    });
  }
}

function endText(end: RecordingEnd): string {
  if (end.reason === 'stopped') return 'is complete';
  if (end.reason !== 'write-error') return `reached its ${end.reason} and is complete`;
  return `could not be written (${end.error instanceof Error ? end.error.message : String(end.error)})`;
}

/** A capture that is being written. */
export class RunningCapture {
  /** Names it as long as it runs. */
  readonly id: string;
  readonly recorder: Recorder;
  readonly of: CaptureTarget;
  /** What people call it: the file's name. */
  readonly label: string;

  constructor(id: string, recorder: Recorder, of: CaptureTarget, label: string) {
    this.id = id;
    this.recorder = recorder;
    this.of = of;
    this.label = label;
  }

  status(): CaptureStatus {
    return { id: this.id, capture: this.label, of: this.of, ...this.recorder.statistics };
  }

  stop(): Promise<void> {
    return this.recorder.stop();
  }
}
