/** Where the sockets of machines lie. Each NIC of a lab has two doors, so that every QEMU can come back after either side was restarted. */
import { join } from 'node:path';
import type { DoorPlan, LabPlan, NicPlan } from '../lab/plan.ts';
import { portName } from '../lab/plan.ts';

/** Where any number of machines plug in to the network of `vmlan serve`. */
export const SHARED_SOCKET = 'vm.sock';

export interface NicSockets {
  /** vmlan listens, QEMU connects and reconnects (QEMU 8 and later). */
  readonly listen: string;
  /** QEMU listens, vmlan connects and reconnects (QEMU 7.2). */
  readonly connect: string;
}

export function nicSockets(folder: string, nic: Pick<NicPlan, 'node' | 'name'>): NicSockets {
  const stem = join(folder, `${nic.node}.${nic.name}`);
  return { listen: `${stem}.sock`, connect: `${stem}.qemu` };
}

/** The doors of all machines of a lab whose sockets lie in `folder`. */
export function labDoors(plan: LabPlan, folder: string): DoorPlan[] {
  return plan.nics.flatMap((nic) => {
    const { listen, connect } = nicSockets(folder, nic);
    const shared = { network: nic.network, port: portName(nic) };
    return [
      { ...shared, mode: 'listen' as const, address: { kind: 'unix' as const, path: listen } },
      { ...shared, mode: 'connect' as const, address: { kind: 'unix' as const, path: connect } },
    ];
  });
}
