/**
 * How long it takes from the start of `vmlan serve` until its socket accepts.
 *
 *     npx tsx bench/start.ts [TIMES]
 */
import { once } from 'node:events';
import { join } from 'node:path';
import { machine, median } from './measure.ts';
import { accepting, startVmlan } from './switches.ts';
import { buildVmlan, makeWorkshop } from './workshop.ts';

const times = Number(process.argv[2] ?? 10);
const folder = makeWorkshop();
const program = await buildVmlan(folder);
const taken: number[] = [];
for (let i = 0; i < times; i++) {
  const socket = join(folder, `${i}.sock`);
  const start = performance.now();
  const vmlan = startVmlan(program, socket, folder);
  await accepting(socket, vmlan);
  taken.push(performance.now() - start);
  vmlan.kill();
  await once(vmlan, 'exit');
}
console.log(machine());
console.log(
  `ready after ${median(taken).toFixed(0)} ms, at best ${Math.min(...taken).toFixed(0)}, at worst ${Math.max(...taken).toFixed(0)} (${times} starts)`,
);
process.exit(0);
