/**
 * The control API: HTTP on a unix socket that only the lab's owner may open.
 *
 *     GET    /v1/status            what the lab is and what passed through it
 *     GET    /v1/leases            DHCP leases of all networks
 *     GET    /v1/flows             conversations of guests with the world and the host
 *     GET    /v1/forwards          ports of the host that lead to guests
 *     POST   /v1/forwards          { rule, network? }: adds one; the answer has its id and its real ports
 *     DELETE /v1/forwards/:id      ends one, by its id, by what it listens at, or by its rule
 *     POST   /v1/captures          the body of the answer is the capture, until it ends; its id is in `vmlan-capture`
 *     DELETE /v1/captures/:id      completes a capture
 */
import { Hono } from 'hono';
import type { RunningLab } from '../lab/running-lab.ts';
import { offerCaptures } from './captures.ts';
import { offerForwards } from './forwards.ts';

/** Answers for one lab. `about` is told in its status: process id, version. */
export function controlApi(lab: RunningLab, about: Readonly<Record<string, unknown>>): Hono {
  const api = new Hono();
  api.get('/v1/status', (context) => context.json({ ...about, ...lab.status() }));
  api.get('/v1/leases', (context) => context.json({ leases: lab.leases() }));
  api.get('/v1/flows', (context) => context.json({ flows: lab.flows() }));
  offerForwards(api, lab);
  offerCaptures(api, lab);
  return api;
}
