/**
 * Real machines that boot together: iPXE in QEMU, each started by `vmlan up`, takes a lease by DHCP, fetches its script and a file by TFTP,
 * and switches itself off.
 *
 *     npx tsx bench/netboot.ts [--machines 32]
 *
 * Under TCG the machines take all the processor there is, mostly for waiting at iPXE's prompts.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { getControl } from '../src/control/client.ts';
import { machine, median } from './measure.ts';
import { cpuMillis, mib, resident } from './process.ts';
import { startLab } from './scale/start-lab.ts';
import { buildVmlan, makeWorkshop } from './workshop.ts';

const NAME = 'netboot';
const FILE_LENGTH = 1_000_000;
const SCRIPT = '#!ipxe\nimgfetch file && reboot\n';

const { values: options } = parseArgs({ options: { machines: { type: 'string', default: '32' } } });
const count = Number(options.machines);
const folder = makeWorkshop();
for (const name of ['run', 'boot']) mkdirSync(join(folder, name));
writeFileSync(join(folder, 'boot', 'boot.ipxe'), SCRIPT);
writeFileSync(join(folder, 'boot', 'file'), new Uint8Array(FILE_LENGTH));
const file = join(folder, 'netboot.yaml');
writeFileSync(file, labOf(count));
const program = await buildVmlan(folder);
console.log(`${machine()}\n${count} machines`);

const began = performance.now();
const ends: number[] = [];
let allEnded: () => void = () => undefined;
const done = new Promise<void>((resolve) => {
  allEnded = resolve;
});
const vmlan = await startLab(program, file, folder, ({ event }) => {
  if (event === 'machine-ended' && ends.push(seconds()) === count) allEnded();
});
const control = join(folder, 'run', 'vmlan', NAME, 'control.sock');
console.log(`up, all started: ${seconds().toFixed(1)} s, vmlan ${mib(resident(vmlan.pid!))}`);
const { nodes } = await getControl<{ readonly nodes: readonly { readonly pid?: number }[] }>(control, '/v1/nodes');
let most = 0;
const watch = setInterval(() => {
  most = Math.max(
    most,
    nodes.reduce((sum, { pid }) => sum + residentOf(pid), 0),
  );
}, 500);
await done;
clearInterval(watch);
const { leases } = await getControl<{ readonly leases: readonly unknown[] }>(control, '/v1/leases');
console.log(
  `first done ${ends[0]!.toFixed(1)} s, median ${median(ends).toFixed(1)} s, all ${ends.at(-1)!.toFixed(1)} s; ${leases.length} leases`,
);
console.log(
  `memory of the machines together at most ${mib(most)}; vmlan ${mib(resident(vmlan.pid!))}, ${(cpuMillis(vmlan.pid!) / 1000).toFixed(1)} s of CPU`,
);
process.exit(0);

function seconds(): number {
  return (performance.now() - began) / 1000;
}

/** None when the machine has ended. */
function residentOf(pid: number | undefined): number {
  try {
    return pid === undefined ? 0 : resident(pid);
  } catch {
    return 0;
  }
}

function labOf(machines: number): string {
  const names = Array.from({ length: machines }, (_, i) => `  m${i}: {}\n`);
  return `name: ${NAME}
networks:
  lan: { subnet: 10.0.2.0/24, boot: { tftp: boot, bootfile: boot.ipxe } }
defaults:
  node: { nics: [lan], qemu: { memory: 64M, args: -machine graphics=off -nodefaults -no-reboot -boot n, stop: 0s } }
nodes:
${names.join('')}`;
}
