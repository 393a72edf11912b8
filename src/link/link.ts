import type { Random } from '../base/chance.ts';
import type { Scheduler } from '../base/time.ts';
import type { ChancePurpose, ImpairmentSpec } from './impairment.ts';
import { doesNothing, Impairment } from './impairment.ts';
import type { Jack } from './jack.ts';
import type { Direction } from './probe.ts';

export const DIRECTIONS: readonly Direction[] = ['from-guest', 'to-guest'];

/** The cable of a port: what it does to the frames of each direction, and whether it is plugged in. What does nothing is not in the way. */
export class Link {
  readonly #jack: Jack;
  readonly #scheduler: Scheduler;
  readonly #chance: (direction: Direction, purpose: ChancePurpose) => Random;
  readonly #specs = new Map<Direction, ImpairmentSpec>();
  readonly #impairments = new Map<Direction, Impairment>();
  #isUp = true;

  constructor(jack: Jack, scheduler: Scheduler, chance: (direction: Direction, purpose: ChancePurpose) => Random) {
    this.#jack = jack;
    this.#scheduler = scheduler;
    this.#chance = chance;
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  specOf(direction: Direction): ImpairmentSpec {
    return this.#specs.get(direction) ?? {};
  }

  /** Frames that are under way. */
  waiting(direction: Direction): number {
    return this.#impairments.get(direction)?.waiting ?? 0;
  }

  impair(direction: Direction, spec: ImpairmentSpec): void {
    this.#specs.set(direction, spec);
    this.#apply(direction);
  }

  /** While it is down frames of both directions are lost, and so are those that are under way. */
  setUp(isUp: boolean): void {
    this.#isUp = isUp;
    for (const direction of DIRECTIONS) this.#apply(direction);
  }

  #apply(direction: Direction): void {
    const spec = this.specOf(direction);
    const isNeeded = !this.#isUp || !doesNothing(spec);
    if (!isNeeded && !this.#impairments.has(direction)) return;
    const impairment = this.#impairments.get(direction) ?? this.#newImpairment(direction);
    impairment.setUp(this.#isUp);
    impairment.update(spec);
    this.#jack.impair(direction, isNeeded ? impairment : undefined);
    if (isNeeded) this.#impairments.set(direction, impairment);
    else this.#impairments.delete(direction);
  }

  #newImpairment(direction: Direction): Impairment {
    const jack = this.#jack;
    const chance = (purpose: ChancePurpose) => this.#chance(direction, purpose);
    return new Impairment(jack.beyond[direction], jack, this.#scheduler, chance);
  }
}
