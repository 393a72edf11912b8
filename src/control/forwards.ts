/** The part of the control API that forwards. */
import * as z from 'zod';
import { forwardEntrySchema } from '../lab/status-schemas.ts';
import type { Route } from './route.ts';
import { nothing, Refusal, refuseIssues, route } from './route.ts';

const forwardRequest = z.strictObject({
  rule: z.string().meta({ description: 'As in a lab file', examples: ['tcp 127.0.0.1:8080 -> web:80'] }),
  network: z.string().optional().describe('Decides where a machine is on several'),
  lasts: z.boolean().default(true).describe('Whether it is there again when the lab is started anew'),
});

/** What is asked of a forward. */
export type ForwardRequest = z.input<typeof forwardRequest>;

export const forwardRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/v1/forwards',
    summary: 'Ports of the host that lead to guests',
    status: 200,
    answer: z.strictObject({ forwards: z.array(forwardEntrySchema) }),
    handle: ({ lab }) => ({ forwards: lab.forwards.list() }),
  }),
  route({
    method: 'POST',
    path: '/v1/forwards',
    summary: 'Adds a forward; the answer has its id and its real ports',
    body: forwardRequest,
    status: 201,
    answer: forwardEntrySchema,
    refusals: { 409: 'The host does not let it listen there' },
    handle: async ({ lab, body: { rule, network, lasts } }) => {
      const added = await lab.forwards.add(rule, network, lasts);
      if ('entry' in added) return added.entry;
      return refuseIssues(added.issue.code, [{ ...added.issue, path: [] }]);
    },
  }),
  route({
    method: 'DELETE',
    path: '/v1/forwards/{id}',
    summary: 'Ends a forward; connections that came by it go on, and one of the lab file comes back with the lab',
    params: z.object({ id: z.string().describe('Its id, what it listens at (`tcp 127.0.0.1:8080`), or its rule') }),
    status: 204,
    answer: nothing,
    refusals: { 404: 'There is no such forward' },
    handle: async ({ lab, params: { id } }) => {
      if (await lab.forwards.remove(id)) return undefined;
      return new Refusal(404, 'no-such-forward', `${lab.plan.name} has no forward ${id}`);
    },
  }),
];
