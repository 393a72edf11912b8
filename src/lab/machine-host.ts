/** What machines need from the outside: QEMU's processes, which go on when vmlan ends, and their QMP sockets. */
import type { HostStream, HostStreamEvents } from '../base/host-net.ts';
import type { MachinePlaces } from '../qemu/machine-arguments.ts';
import type { ProcessEnd } from '../qemu/machine-end.ts';
import type { QemuVersion } from '../qemu/version.ts';
import type { MachinePlan } from './machine-plan.ts';

export interface MachineHost {
  /** What QEMU may try, the best first; its own choice where there are none. */
  readonly accelerators: readonly string[];
  places(node: string): MachinePlaces;
  /** Asks the machine's QEMU program; rejects where there is none. */
  version(plan: MachinePlan): Promise<QemuVersion>;
  /** Starts the machine's QEMU with these words. Rejects where it cannot be started; what it then complains about is in its end. */
  start(plan: MachinePlan, words: readonly string[]): Promise<MachineProcess>;
  /** Connects to the QMP socket of a machine; the stream fails where none runs. */
  connect(node: string, events: HostStreamEvents): HostStream;
  /** The process of a machine that somebody else started and that answers by QMP. */
  adopt(plan: MachinePlan): MachineProcess;
}

export interface MachineProcess {
  /** Undefined where it is not known. */
  readonly pid: number | undefined;
  /** Resolves when the process is gone and has left nothing behind. Of one that was adopted it is asked when QMP has ended. */
  gone(): Promise<MachineGone>;
  /** Ends the process at once, where it is surely the machine's. */
  kill(): void;
}

export interface MachineGone extends ProcessEnd {
  /** The last that it complained about, on one line; perhaps nothing. */
  readonly complaints: string;
}
