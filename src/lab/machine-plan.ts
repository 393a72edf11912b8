/** A machine that vmlan starts, fully decided. */
import type { Millis } from '../base/time.ts';
import type { MachineSettings } from '../qemu/machine-arguments.ts';

export interface MachinePlan extends Omit<MachineSettings, 'name'> {
  readonly node: string;
  /** The QEMU: a path, or a name to look for as a shell does. */
  readonly program: string;
  /** The device that each of its cards is. */
  readonly model: string;
  /** Whether it starts with the lab. */
  readonly isAutostarted: boolean;
  /** How long the guest may take to switch itself off. */
  readonly patience: Millis;
  /** Where its QEMU runs, and files are meant from: the lab file's folder. */
  readonly folder: string;
}
