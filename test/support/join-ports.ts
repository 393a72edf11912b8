import type { FrameSink } from '../../src/link/frame-batch.ts';
import type { Port } from '../../src/link/port.ts';

/** Joins two ports; every frame that `loses` names by its number does not arrive. */
export function joinPorts(a: Port, b: Port, loses: (frame: number) => boolean = () => false): void {
  let frames = 0;
  const towards = (to: Port): FrameSink => ({
    push: (batch, first, end) => {
      for (let i = first; i < end; i++) if (!loses(frames++)) to.push(batch, i, i + 1);
    },
  });
  a.attach(towards(b));
  b.attach(towards(a));
}
