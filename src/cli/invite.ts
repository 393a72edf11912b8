/** A port of a running lab for a station that a verb brings. */
import { json } from 'node:stream/consumers';
import { ControlError, callControl } from '../control/client.ts';
import type { InvitedPort, PortRequest } from '../control/ports.ts';
import { EXIT_FAILURE, EXIT_USAGE, fail } from './exit.ts';

export async function invite(lab: string, network: string, request: PortRequest): Promise<InvitedPort> {
  const path = `/v1/networks/${encodeURIComponent(network)}/ports`;
  return (await json(await callControl(lab, 'POST', path, request).catch(refused))) as InvitedPort;
}

/** What the operator wrote wrongly, and what the host refused. */
function refused(error: Error): never {
  const isUsage = error instanceof ControlError && USAGE.has(error.code);
  fail(error.message, isUsage ? EXIT_USAGE : EXIT_FAILURE);
}

const USAGE: ReadonlySet<string> = new Set(['bad-request', 'no-such-network', 'port-taken']);
