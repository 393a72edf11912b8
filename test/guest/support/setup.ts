import { noteMissingQemu, qemuVersion } from './qemu.ts';
import { buildRig } from './rig.ts';

/** Before all guest tests: the machines. */
export function setup(): void {
  noteMissingQemu();
  if (qemuVersion !== undefined) buildRig();
}
