import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { QemuMachines } from '../../src/host/qemu-machines.ts';
import { planOf } from '../support/plan-of.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

it('a machine whose folders somebody removed ends all the same', async () => {
  const [runtime, state] = [temporaryFolder(), join(temporaryFolder(), 'state')];
  const [plan] = planOf('networks: { lan: {} }\nnodes: { web: { nics: [lan], qemu: {} } }').machines!;
  const machines = new QemuMachines(runtime, state);
  const machine = await machines.start({ ...plan!, program: 'sh', folder: '/' }, ['-c', 'sleep 60']);
  for (const folder of [runtime, state]) rmSync(folder, { recursive: true });
  machine.kill();
  expect(await machine.gone()).toEqual({ signal: 'SIGKILL', complaints: '' });
});
