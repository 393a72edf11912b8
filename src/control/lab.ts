/** The part of the control API that is about the lab as a whole. */
import type { Route } from './route.ts';
import { nothing, Refusal, route } from './route.ts';

export const labRoutes: readonly Route[] = [
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
