/**
 * What the first process of a namespace owes to those it starts: the privileges of network tools, and a burial for processes whose parents
 * have gone.
 */
import type { SystemCalls } from '../system-calls.ts';

const PR_CAP_AMBIENT = 47;
const PR_CAP_AMBIENT_RAISE = 2;
const PR_CAP_AMBIENT_CLEAR_ALL = 4;
/** Ports below 1024; addresses, routes and filters; ping and raw sockets, capabilities(7). */
const CAPABILITIES = { netBindService: 10, netAdmin: 12, netRaw: 13 } as const;

/** Programs that are started from now on have these capabilities, in this namespace only, and no others. */
export function leaveCapabilities(system: SystemCalls): void {
  system.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  for (const capability of Object.values(CAPABILITIES)) {
    system.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0);
  }
}

const P_ALL = 0;
const P_PID = 1;
const WNOHANG = 1;
const WEXITED = 4;
const WNOWAIT = 0x0100_0000;
/** `si_pid` of a `siginfo_t`. */
const PID = 12;

/** Buries dead processes that nobody waits for, until it meets one of Node's own (`isOurs`), which Node waits for. */
export function buryOrphans(system: SystemCalls, isOurs: (pid: number) => boolean): void {
  const info = Buffer.alloc(128);
  for (;;) {
    info.fill(0);
    if (system.waitid(P_ALL, 0, info, WEXITED | WNOHANG | WNOWAIT) !== 0) return;
    const pid = info.readInt32LE(PID);
    if (pid === 0 || isOurs(pid)) return;
    system.waitid(P_PID, pid, info, WEXITED | WNOHANG);
  }
}
