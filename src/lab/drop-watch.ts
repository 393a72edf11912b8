import type { LogEntry } from '../base/log.ts';
import type { Millis, Scheduler, Timer } from '../base/time.ts';
import type { RunningNetwork } from './running-network.ts';

const INTERVAL: Millis = 1000;

type Counts = Readonly<Record<string, number>>;

/** Where frames and packets are dropped: a port, a LAN, a gateway. */
interface Place {
  readonly network: string;
  readonly place: string;
  readonly counts: Counts;
}

/** Tells once a second what was dropped where, as long as it is wanted: a drop is counted where it happens, and nothing else is done there. */
export class DropWatch {
  readonly #scheduler: Scheduler;
  readonly #networks: () => Iterable<RunningNetwork>;
  readonly #isWanted: () => boolean;
  readonly #tell: (entry: LogEntry) => void;
  readonly #timer: Timer;
  #isRunning = false;
  #before = new Map<string, Counts>();

  constructor(
    scheduler: Scheduler,
    networks: () => Iterable<RunningNetwork>,
    isWanted: () => boolean,
    tell: (entry: LogEntry) => void,
  ) {
    this.#scheduler = scheduler;
    this.#networks = networks;
    this.#isWanted = isWanted;
    this.#tell = tell;
    this.#timer = scheduler.timer(() => this.#look());
  }

  /** From now on; it ends by itself when it is not wanted any more. */
  start(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#before = new Map(this.#places().map(({ place, counts }) => [place, counts]));
    this.#timer.arm(this.#scheduler.now() + INTERVAL);
  }

  #look(): void {
    this.#isRunning = this.#isWanted();
    if (!this.#isRunning) return;
    const places = this.#places();
    for (const { network, place, counts } of places) {
      const drops = increments(this.#before.get(place) ?? {}, counts);
      if (drops.length === 0) continue;
      const message = `${place} dropped ${drops.map(([reason, amount]) => `${reason} ${amount}`).join(', ')}`;
      this.#tell({ event: 'drops', message, network, place, drops: Object.fromEntries(drops) });
    }
    this.#before = new Map(places.map(({ place, counts }) => [place, counts]));
    this.#timer.arm(this.#scheduler.now() + INTERVAL);
  }

  #places(): readonly Place[] {
    return [...this.#networks()].flatMap(({ plan: { name: network }, drops, gateway, jacks }) => [
      { network, place: network, counts: drops.toRecord() },
      ...(gateway === undefined
        ? []
        : [{ network, place: `gateway of ${network}`, counts: gateway.counters.toRecord() }]),
      ...[...jacks].map((jack) => ({ network, place: jack.name, counts: jack.drops.toRecord() })),
    ]);
  }
}

function increments(before: Counts, now: Counts): readonly (readonly [string, number])[] {
  return Object.entries(now)
    .map(([reason, count]) => [reason, count - (before[reason] ?? 0)] as const)
    .filter(([, amount]) => amount > 0);
}
