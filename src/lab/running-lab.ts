/**
 * A lab at work: its networks, the doors where machines arrive, and its captures.
 *
 * `start` either brings up all of it or, where a door or a file cannot be opened, takes down what stood already and rejects. Machines
 * that cannot be started are told of, and keep nobody from running.
 */
import { randomUint32 } from '../base/chance.ts';
import type { ByteSink } from '../base/files.ts';
import { formatIssue } from '../base/issue.ts';
import { formatSocketAddress } from '../base/socket-address.ts';
import type { RecorderOptions, RecordingEnd } from '../capture/recorder.ts';
import { Recorder } from '../capture/recorder.ts';
import type { Arrival, Door } from '../link/arrival.ts';
import type { FlowListener } from '../nat/flow.ts';
import { formatForward } from '../nat/forward-text.ts';
import type { HostForwards } from '../nat/host-forwards.ts';
import { DropWatch } from './drop-watch.ts';
import type { Environment } from './environment.ts';
import type { EventFeed, EventListener } from './event-feed.ts';
import { flowStatus } from './flow-status.ts';
import { forwardPlaces } from './forward-place.ts';
import { Invitations } from './invitations.ts';
import { KeptForwards } from './kept-forwards.ts';
import { LabForwards } from './lab-forwards.ts';
import { LabLinks, linkedPorts } from './lab-links.ts';
import { LabMachines } from './lab-machines.ts';
import { LabRouting } from './lab-routing.ts';
import { serveSeeds } from './lab-seeds.ts';
import { namesStatus } from './name-status.ts';
import { nodeStatus } from './node-status.ts';
import type { NodeStatus } from './node-status-schema.ts';
import type { CapturePlan, CaptureTarget, DoorPlan, LabPlan, NetworkPlan, NicPlan } from './plan.ts';
import { portName } from './plan.ts';
import type { LabParts } from './plan-change.ts';
import { changePlan, PlanChangeError } from './plan-change.ts';
import { planDifference } from './plan-difference.ts';
import { endText, RunningCapture } from './running-capture.ts';
import { RunningNetwork } from './running-network.ts';
import { leaseStatus, networkStatus, portStatus, routerStatus } from './status.ts';
import type { CaptureStatus, FlowStatus, LabStatus, LeaseStatus, MacStatus, NamesStatus } from './status-schemas.ts';

export class RunningLab {
  readonly forwards: LabForwards;
  readonly links: LabLinks;
  readonly #drops: DropWatch;
  readonly #environment: Environment;
  readonly machines: LabMachines;
  readonly #networks = new Map<string, RunningNetwork>();
  readonly #routing: LabRouting;
  #plan: LabPlan;
  #isChanging = false;
  #doors: readonly OpenDoor[] = [];
  readonly #captures = new Map<string, RunningCapture>();
  /** Ports for stations that come while the lab runs. */
  readonly invitations: Invitations;
  #lastCapture = 0;

  static async start(plan: LabPlan, doors: readonly DoorPlan[], environment: Environment): Promise<RunningLab> {
    const lab = new RunningLab(plan, environment);
    try {
      await lab.#start(doors);
      await lab.machines.start(plan.machines ?? []);
    } catch (error) {
      await lab.stop();
      throw error;
    }
    return lab;
  }

  private constructor(plan: LabPlan, environment: Environment) {
    this.#plan = plan;
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
    this.invitations = new Invitations(
      () => this.#plan,
      environment,
      (port) => this.#isTaken(port),
    );
    const doorPlans = () => this.#doors.map((open) => open.plan);
    this.machines = new LabMachines(() => ({ plan: this.#plan, doorPlans: doorPlans() }), environment);
    this.links = new LabLinks({
      ports: () => [...this.#networks.values()].flatMap(linkedPorts),
      scheduler: environment.scheduler,
      seed: () => plan.seed ?? randomUint32(environment.random),
      log: environment.log,
      onCarrier: ({ nic }, isUp) => nic && void this.machines.get(nic.node)?.setLink(nic.name, isUp),
    });
  }

  get plan(): LabPlan {
    return this.#plan;
  }

  get doors(): readonly Door[] {
    return this.#doors.map(({ door }) => door);
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
      ports: networks.flatMap((network) =>
        [...network.jacks].map((jack) => portStatus(network, jack, this.links.isUp(jack))),
      ),
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
      const seed = this.plan.seeds?.find((each) => each.node === node);
      return { ...nodeStatus(node, own, isConnected, this.machines.get(node), now), ...(seed && { seed: seed.url }) };
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
    await Promise.all([...this.#doors.map(({ door }) => door.close()), this.invitations.close()]);
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

  /**
   * Carries the lab over to another plan, with these doors for the cards that come. Nothing that is in both is touched. Rejects with a
   * `PlanChangeError` where that is not possible, or with the machine's error where it refuses a part; then the lab is as it was.
   */
  async change(plan: LabPlan, doors: readonly DoorPlan[]): Promise<void> {
    const difference = planDifference(this.#plan, plan);
    if (this.#isChanging) throw new PlanChangeError('the lab is being changed; try again');
    if (difference.impossible.length > 0) throw new PlanChangeError(difference.impossible.map(formatIssue).join('; '));
    this.#isChanging = true;
    const known = [doors, this.#doors.map((open) => open.plan)];
    const doorsOf = (nic: NicPlan) =>
      known.map((all) => all.filter((door) => leadsTo(door, nic))).find((own) => own.length > 0) ?? [];
    const before = this.#plan;
    this.#plan = plan;
    try {
      await changePlan(difference, before, this.#parts(doorsOf));
      this.links.impair(difference.links);
    } catch (error) {
      this.#plan = before;
      throw error;
    } finally {
      this.#routing.join(this.#networks, this.#plan.routers ?? []);
      this.links.impairNew(this.#plan.links ?? []);
      this.#isChanging = false;
    }
  }

  #parts(doorsOf: (nic: NicPlan) => readonly DoorPlan[]): LabParts {
    const removeNic = async (nic: NicPlan) => {
      const own = this.#doors.filter(({ plan }) => leadsTo(plan, nic));
      this.#doors = this.#doors.filter((open) => !own.includes(open));
      await Promise.all(own.map(({ door }) => door.close()));
      this.#networks.get(nic.network)!.removeNic(nic);
    };
    return {
      addNetwork: (plan) => this.#addNetwork(plan, []),
      removeNetwork: async ({ name }) => {
        const network = this.#networks.get(name);
        this.#networks.delete(name);
        await this.invitations.close(name);
        await network?.stop();
      },
      configure: (plan) => this.#networks.get(plan.name)!.configure(plan),
      addNic: async (nic) => {
        this.#networks.get(nic.network)!.addNic(nic);
        try {
          for (const door of doorsOf(nic)) await this.#openDoor(door);
        } catch (error) {
          await removeNic(nic);
          throw error;
        }
      },
      removeNic,
      addForward: async ({ network, forward }) => {
        const own = this.#forwardsOf(network);
        const wasAdded = own.list().some(({ rule }) => rule === formatForward(forward)); // by hand, before it was written down
        if (!wasAdded) await own.add(forward);
      },
      removeForward: ({ network, forward }) => void this.#forwardsOf(network).remove(formatForward(forward)),
      addMachine: async (plan) => {
        try {
          await this.machines.add(plan);
        } catch (error) {
          await this.machines.remove(plan.node);
          throw error;
        }
      },
      removeMachine: ({ node }) => this.machines.remove(node),
      addCapture: (plan) => this.#startCapture(plan),
      removeCapture: async ({ file }) => {
        await [...this.#captures.values()].find(({ label }) => label === file)?.stop();
      },
    };
  }

  #forwardsOf(network: string): HostForwards {
    return this.#networks.get(network)!.gateway!.forwards;
  }

  async #start(doors: readonly DoorPlan[]): Promise<void> {
    const { plan } = this;
    for (const network of plan.networks) {
      const nics = plan.nics.filter((nic) => nic.network === network.name);
      await this.#addNetwork(network, nics);
    }
    await serveSeeds(plan.seeds ?? [], this.#networks, this.#environment);
    this.#routing.join(this.#networks, plan.routers ?? []);
    this.links.impairNew(plan.links ?? []);
    await this.forwards.restore();
    for (const capture of plan.captures) await this.#startCapture(capture);
    for (const door of doors) await this.#openDoor(door);
  }

  /** Captures of the whole lab hear it. */
  async #addNetwork(plan: NetworkPlan, nics: readonly NicPlan[]): Promise<void> {
    const isTaken = (port: string) => this.#isTaken(port);
    const onFlow = this.#flowListener(plan.name);
    const network = await RunningNetwork.start(plan, nics, isTaken, this.#environment, onFlow);
    this.#networks.set(plan.name, network);
    for (const { of, recorder } of this.#captures.values()) if (of.kind === 'lab') network.record(recorder, undefined);
  }

  /** Whether a port has the name, or is about to. */
  #isTaken(port: string): boolean {
    const has = (network: RunningNetwork) => network.jack(port) !== undefined;
    return this.invitations.has(port) || [...this.#networks.values()].some(has);
  }

  async #openDoor(plan: DoorPlan): Promise<void> {
    const { mode, address, port } = plan;
    const network = this.#networks.get(plan.network)!;
    const trouble = (code: string) => {
      const where = formatSocketAddress(address);
      this.#environment.log({
        event: 'door-trouble',
        message: `${where} cannot be reached (${code}); vmlan goes on trying`,
        door: where,
        code,
      });
    };
    const welcome = (arrival: Arrival) => network.welcome(arrival, port);
    const door = await this.#environment.openDoor(mode, address, welcome, trouble);
    this.#doors = [...this.#doors, { plan, door }];
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

interface OpenDoor {
  readonly plan: DoorPlan;
  readonly door: Door;
}

function leadsTo({ port, network }: DoorPlan, nic: NicPlan): boolean {
  return port === portName(nic) && network === nic.network;
}
