/** The part of the control API that is about the lab as a whole. */
import * as z from 'zod';
import type { Route } from './route.ts';
import { nothing, Refusal, route } from './route.ts';

export const labRoutes: readonly Route[] = [
  route({
    method: 'POST',
    path: '/v1/reload',
    summary: 'Reads the lab file anew and changes what is different; what is the same goes on untouched',
    body: z.strictObject({ check: z.boolean().default(false).describe('Only tells what would change') }),
    status: 200,
    answer: z.strictObject({ changes: z.array(z.string()).describe('A phrase for each, for people') }),
    refusals: { 409: 'Something cannot change while the lab runs, or the host refuses it; nothing has changed' },
    handle: async ({ lab, reload, body: { check } }) => {
      if (reload === undefined) return new Refusal(409, 'no-lab-file', `${lab.plan.name} was not made from a lab file`);
      const change = await reload(check);
      if ('changes' in change) return change;
      const status = change.refused === 'lab-refused' ? 400 : 409;
      return new Refusal(status, change.refused, change.text, change.issues);
    },
  }),
  route({
    method: 'POST',
    path: '/v1/stop',
    summary: 'Stops the lab as Ctrl-C does; it is gone when its process is',
    status: 204,
    answer: nothing,
    refusals: { 409: 'The lab ends with the command that it was made for' },
    handle: ({ lab, stop }) => {
      if (stop === undefined) {
        const message = `${lab.plan.name} ends with the QEMU that it was made for; end that`;
        return new Refusal(409, 'ends-with-command', message);
      }
      stop();
      return undefined;
    },
  }),
];
