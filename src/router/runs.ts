/** Neighbouring frames of a batch that leave by one interface towards one next hop: gathered here, copied there as one. */
import type { FrameBatch } from '../link/frame-batch.ts';
import { batchOf } from '../link/frame-batch.ts';
import type { TransitOutput } from '../stack/transit-output.ts';

export class Runs<Hop> {
  /** Interfaces that were given something in this batch. */
  readonly #busy: TransitOutput<Hop>[] = [];
  /** The run that is being gathered: frames [#first, #end) of the batch, which leave by `#out` towards `#hop`. */
  #batch: FrameBatch = batchOf([]);
  #first = 0;
  #end = 0;
  #out: TransitOutput<Hop> | undefined;
  #hop: Hop | undefined;

  /** Frame `index` leaves by `out` towards `hop`, when the run that it belongs to is complete. */
  add(batch: FrameBatch, index: number, out: TransitOutput<Hop>, hop: Hop): void {
    if (
      this.#end !== index ||
      this.#batch !== batch ||
      this.#out !== out ||
      this.#hop !== hop ||
      this.#first === this.#end
    ) {
      this.#flush();
      this.#batch = batch;
      this.#first = index;
      this.#out = out;
      this.#hop = hop;
    }
    this.#end = index + 1;
  }

  /** Other frames leave by `out` now, behind what was added. */
  interrupt(out: TransitOutput<Hop>): void {
    this.#flush();
    this.#begin(out);
  }

  /** The batch is over: what was added leaves. */
  end(): void {
    this.#flush();
    for (let out = this.#busy.pop(); out !== undefined; out = this.#busy.pop()) out.end();
  }

  #flush(): void {
    const first = this.#first;
    const end = this.#end;
    const out = this.#out;
    if (first === end || out === undefined) return;
    this.#first = end;
    this.#begin(out);
    out.run(this.#batch, first, end, this.#hop!);
  }

  #begin(out: TransitOutput<Hop>): void {
    if (this.#busy.includes(out)) return;
    this.#busy.push(out);
    out.begin();
  }
}
