/** The conversations of a network's guests as plain data. */
import type { Endpoint } from '../base/endpoint.ts';
import type { Flow } from '../nat/flow.ts';
import { formatTarget } from '../nat/forward-text.ts';
import { formatAddress, formatEndpoint } from '../wire/endpoint-text.ts';
import type { FlowCounts, FlowStatus } from './status-schemas.ts';

export function flowStatus(network: string, flow: Flow): FlowStatus {
  const { protocol, initiator, guest, peer, target, state, fromGuest, toGuest } = flow;
  const text = (endpoint: Endpoint) =>
    protocol === 'echo' ? formatAddress(endpoint.address) : formatEndpoint(endpoint);
  return {
    network,
    protocol,
    initiator,
    guest: text(guest),
    ...(peer !== undefined && { peer: text(peer) }),
    ...(target !== undefined && { target: targetText(target, text) }),
    state,
    fromGuest,
    toGuest,
  };
}

function targetText(target: NonNullable<Flow['target']>, text: (endpoint: Endpoint) => string): string {
  if (typeof target === 'string') return target;
  return target.kind === 'tcp' ? text(target.endpoint) : formatTarget(target);
}

export function countFlows(flows: Iterable<Flow>): FlowCounts {
  const counts = { tcp: 0, udp: 0, echo: 0 };
  for (const { protocol } of flows) counts[protocol]++;
  return counts;
}
