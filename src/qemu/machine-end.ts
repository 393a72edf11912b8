/** Why a machine ended, of what QMP's SHUTDOWN event (qapi/run-state.json, ShutdownCause) and the end of its process say. */

/** How QEMU's process ended, as far as it is known: that of another process than our child is not. */
export interface ProcessEnd {
  readonly status?: number;
  readonly signal?: string;
}

/**
 * - `shutdown`: the guest switched itself off.
 * - `reset`: the guest restarted, and QEMU's `-no-reboot` makes that an end.
 * - `panic`: the guest's kernel gave up.
 * - `quit`: QEMU was told to by QMP.
 * - `terminated`: QEMU was told to by a signal.
 * - `killed`: by SIGKILL.
 * - `crash`: QEMU itself failed.
 * - `unknown`: QEMU left, and was not our child.
 */
export type MachineEnd = 'shutdown' | 'reset' | 'panic' | 'quit' | 'terminated' | 'killed' | 'crash' | 'unknown';

const ENDS: Readonly<Record<string, MachineEnd>> = {
  'guest-shutdown': 'shutdown',
  'guest-reset': 'reset',
  'guest-panic': 'panic',
  'host-qmp-quit': 'quit',
  'host-signal': 'terminated',
  'host-ui': 'quit',
};

/** `reason` is that of the last SHUTDOWN event. */
export function machineEnd(reason: string | undefined, { status, signal }: ProcessEnd): MachineEnd {
  if (signal !== undefined) return signal === 'SIGKILL' ? 'killed' : 'crash';
  if (status !== undefined && status !== 0) return 'crash';
  const told = reason !== undefined && Object.hasOwn(ENDS, reason) ? ENDS[reason] : undefined;
  if (told !== undefined) return told;
  return status === 0 ? 'quit' : 'unknown';
}

/** A phrase behind the machine's name. */
export function machineEndText(end: MachineEnd, { status, signal }: ProcessEnd): string {
  switch (end) {
    case 'shutdown':
      return 'shut down';
    case 'reset':
      return 'restarted, which ends it with -no-reboot';
    case 'panic':
      return 'ended: its kernel panicked';
    case 'quit':
      return 'was switched off';
    case 'terminated':
      return 'ended: QEMU was told to by a signal';
    case 'killed':
      return 'ended: QEMU was killed';
    case 'crash':
      return `ended: QEMU failed with ${signal ?? `status ${status}`}`;
    case 'unknown':
      return 'ended, and nobody said why';
  }
}
