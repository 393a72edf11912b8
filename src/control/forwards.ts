/** The part of the control API that forwards. */
import type { Hono } from 'hono';
import * as z from 'zod';
import { HostNetError } from '../base/host-net.ts';
import { formatIssue } from '../base/issue.ts';
import type { RunningLab } from '../lab/running-lab.ts';

/** What is asked of a forward. `network` decides where a machine is on several. */
const forwardRequest = z.strictObject({ rule: z.string(), network: z.string().optional() });

export type ForwardRequest = z.input<typeof forwardRequest>;

export function offerForwards(api: Hono, lab: RunningLab): void {
  api.get('/v1/forwards', (context) => context.json({ forwards: lab.forwards.list() }));

  api.post('/v1/forwards', async (context) => {
    const asked = forwardRequest.safeParse(await context.req.json().catch(() => undefined));
    if (!asked.success) return context.json({ error: 'bad-request', message: z.prettifyError(asked.error) }, 400);
    try {
      const added = await lab.forwards.add(asked.data.rule, asked.data.network);
      if ('entry' in added) return context.json(added.entry, 201);
      return context.json({ error: added.issue.code, message: formatIssue({ ...added.issue, path: [] }) }, 400);
    } catch (error) {
      if (!(error instanceof HostNetError)) throw error;
      return context.json({ error: error.code, message: error.message }, 409);
    }
  });

  api.delete('/v1/forwards/:id', (context) => {
    const which = context.req.param('id');
    if (lab.forwards.remove(which)) return context.body(null, 204);
    return context.json({ error: 'no-such-forward', message: `${lab.plan.name} has no forward ${which}` }, 404);
  });
}
