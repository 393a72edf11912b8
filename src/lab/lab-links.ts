/** The links of a running lab's ports: told, impaired, taken down and up again, while frames pass. */
import { SeededRandom } from '../base/chance.ts';
import { fnv1a } from '../base/fnv1a.ts';
import type { Issue } from '../base/issue.ts';
import type { Log } from '../base/log.ts';
import type { Scheduler } from '../base/time.ts';
import type { ImpairmentSpec } from '../link/impairment.ts';
import type { Jack } from '../link/jack.ts';
import { Link } from '../link/link.ts';
import type { Direction } from '../link/probe.ts';
import { impairmentFault, mergeImpairments } from './impairment-plan.ts';
import { impairmentWords } from './impairment-text.ts';
import type { LinkPlan, NicPlan } from './plan.ts';
import { findPort } from './port-place.ts';
import type { RunningNetwork } from './running-network.ts';
import type { ImpairmentEntry } from './schema-link.ts';
import type { LinkStatus } from './status-schemas.ts';

/** A port as its network has it. */
export interface LinkedPort {
  readonly port: string;
  /** The card that the lab file gives it. */
  readonly nic: NicPlan | undefined;
  readonly node: string | undefined;
  readonly network: string;
  readonly jack: Jack;
  /** The switch looks anew for who is behind the port. */
  forgetStations(): void;
}

export interface LinkChange {
  readonly isUp?: boolean | undefined;
  readonly fromGuest?: ImpairmentEntry | undefined;
  readonly toGuest?: ImpairmentEntry | undefined;
}

export type ChangedLink = { readonly link: LinkStatus } | { readonly issue: Issue };

export interface LabLinksOptions {
  readonly ports: () => readonly LinkedPort[];
  readonly scheduler: Scheduler;
  /** Of their chance; asked once, when it is needed. */
  readonly seed: () => number;
  readonly log: Log;
  /** A link went down or came up: whoever runs the machine shows it to the guest. */
  readonly onCarrier: (port: LinkedPort, isUp: boolean) => void;
}

export class LabLinks {
  readonly #options: LabLinksOptions;
  readonly #links = new WeakMap<Jack, Link>();

  #seed: number | undefined;

  constructor(options: LabLinksOptions) {
    this.#options = options;
  }

  /** Chance follows from it, from the port's name and the direction, so that a run can be repeated. */
  get seed(): number {
    this.#seed ??= this.#options.seed();
    return this.#seed;
  }

  list(): readonly LinkStatus[] {
    return this.#options.ports().map((port) => this.#status(port));
  }

  isUp(jack: Jack): boolean {
    return this.#links.get(jack)?.isUp !== false;
  }

  /** The link of a port, by its name or by that of a node with one card. */
  find(which: string): ChangedLink {
    return this.#with(which, () => undefined);
  }

  /** The links of these ports, as far as they are there, do this and nothing else. */
  impair(plans: readonly LinkPlan[]): void {
    const ports = this.#options.ports();
    for (const { port, fromGuest, toGuest } of plans) {
      const found = ports.find((each) => each.port === port);
      if (found === undefined) continue;
      const link = this.#linkOf(found);
      link.impair('from-guest', fromGuest);
      link.impair('to-guest', toGuest);
    }
  }

  /** The same of ports whose links nobody impaired yet. */
  impairNew(plans: readonly LinkPlan[]): void {
    const known = this.#options.ports().filter(({ jack }) => this.#links.has(jack));
    this.impair(plans.filter(({ port }) => !known.some((each) => each.port === port)));
  }

  /** Changes what is said, of each direction that is named; the rest stays as it is. */
  change(which: string, { isUp, fromGuest, toGuest }: LinkChange): ChangedLink {
    return this.#with(which, (port) => {
      const link = this.#linkOf(port);
      const specs = [
        ...(fromGuest ? [['from-guest', mergeImpairments(link.specOf('from-guest'), fromGuest)] as const] : []),
        ...(toGuest ? [['to-guest', mergeImpairments(link.specOf('to-guest'), toGuest)] as const] : []),
      ];
      for (const [direction, spec] of specs) {
        const fault = impairmentFault(spec);
        if (fault !== undefined) {
          return { ...fault, path: [direction === 'from-guest' ? 'fromGuest' : 'toGuest', 'jitter'] };
        }
      }
      if (specs.length > 0) this.#impair(port, specs);
      if (isUp !== undefined && isUp !== link.isUp) this.#setUp(port, isUp);
      return undefined;
    });
  }

  /** Frames pass both ways at once, those that waited first. */
  reset(which: string): ChangedLink {
    return this.#with(which, (port) => {
      this.#impair(port, [
        ['from-guest', {}],
        ['to-guest', {}],
      ]);
      return undefined;
    });
  }

  #impair(port: LinkedPort, specs: readonly (readonly [Direction, ImpairmentSpec])[]): void {
    const link = this.#linkOf(port);
    for (const [direction, spec] of specs) link.impair(direction, spec);
    this.#options.log({
      event: 'link-changed',
      message: `the link of ${port.port} is changed`,
      port: port.port,
      fromGuest: impairmentWords(link.specOf('from-guest')),
      toGuest: impairmentWords(link.specOf('to-guest')),
    });
  }

  #setUp(port: LinkedPort, isUp: boolean): void {
    this.#linkOf(port).setUp(isUp);
    if (!isUp) port.forgetStations();
    this.#options.onCarrier(port, isUp);
    const [event, word] = isUp ? ['link-up', 'up'] : ['link-down', 'down'];
    this.#options.log({ event, message: `the link of ${port.port} is ${word}`, port: port.port });
  }

  #with(which: string, use: (port: LinkedPort) => Issue | undefined): ChangedLink {
    const port = findPort(which, this.#options.ports());
    if ('code' in port) return { issue: { ...port, path: ['port'] } };
    const issue = use(port);
    return issue === undefined ? { link: this.#status(port) } : { issue };
  }

  #linkOf({ port, jack }: LinkedPort): Link {
    const known = this.#links.get(jack);
    if (known !== undefined) return known;
    const link = new Link(
      jack,
      this.#options.scheduler,
      (direction, purpose) => new SeededRandom(fnv1a(`${this.seed}/${port}/${direction}/${purpose}`)),
    );
    this.#links.set(jack, link);
    return link;
  }

  #status({ port, network, jack }: LinkedPort): LinkStatus {
    const link = this.#links.get(jack);
    const words = (direction: Direction) => ({
      ...impairmentWords(link?.specOf(direction) ?? {}),
      waiting: link?.waiting(direction) ?? 0,
    });
    return { port, network, up: this.isUp(jack), fromGuest: words('from-guest'), toGuest: words('to-guest') };
  }
}

/** The ports of a network. */
export function linkedPorts(network: RunningNetwork): readonly LinkedPort[] {
  return [...network.jacks].map((jack) => ({
    port: jack.name,
    nic: network.nicOf(jack),
    node: network.nicOf(jack)?.node,
    network: network.plan.name,
    jack,
    forgetStations: () => network.forgetStations(jack),
  }));
}
