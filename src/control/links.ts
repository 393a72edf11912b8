/** The part of the control API that impairs links, and unplugs them. */
import * as z from 'zod';
import type { ChangedLink } from '../lab/lab-links.ts';
import { impairmentShape } from '../lab/schema-link.ts';
import type { LinkStatus } from '../lab/status-schemas.ts';
import { linkStatusSchema } from '../lab/status-schemas.ts';
import type { Route } from './route.ts';
import { Refusal, refuseIssues, route } from './route.ts';

const direction = z.strictObject(impairmentShape);
const linkRequest = z
  .strictObject({
    up: z.boolean().optional().describe('false: frames either way are lost'),
    fromGuest: direction.optional().describe('What changes for what the machine sends'),
    toGuest: direction.optional().describe('What changes for what the machine is sent'),
  })
  .describe('What is left out stays as it is; 0 takes it away');

/** What is asked of a link. */
export type LinkRequest = z.input<typeof linkRequest>;

const params = z.object({
  port: z.string().describe('`NODE:NIC`, `NODE` where it has one card, `vm1`, `ROUTER:INTERFACE` or `NETWORK:gateway`'),
});
const refusals = { 404: 'There is no such port' };

const linksSchema = z.strictObject({
  seed: z.int().describe('Chance follows from it: the same seed in the lab file loses the same frames'),
  links: z.array(linkStatusSchema),
});
export type LinksAnswer = z.output<typeof linksSchema>;

export const linkRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/v1/links',
    summary: 'What the links of all ports do to frames',
    status: 200,
    answer: linksSchema,
    handle: ({ lab }) => ({ seed: lab.links.seed, links: lab.links.list() }),
  }),
  route({
    method: 'GET',
    path: '/v1/links/{port}',
    summary: 'What the link of a port does to frames',
    params,
    status: 200,
    answer: linkStatusSchema,
    refusals,
    handle: ({ lab, params: { port } }) => answerOf(lab.links.find(port)),
  }),
  route({
    method: 'PATCH',
    path: '/v1/links/{port}',
    summary: 'Impairs a link, for frames from now on, or takes it down or up',
    params,
    body: linkRequest,
    status: 200,
    answer: linkStatusSchema,
    refusals,
    handle: ({ lab, params: { port }, body: { up: isUp, fromGuest, toGuest } }) =>
      answerOf(lab.links.change(port, { isUp, fromGuest, toGuest })),
  }),
  route({
    method: 'DELETE',
    path: '/v1/links/{port}',
    summary: 'Impairs a link no more; frames that wait leave at once',
    params,
    status: 200,
    answer: linkStatusSchema,
    refusals,
    handle: ({ lab, params: { port } }) => answerOf(lab.links.reset(port)),
  }),
];

function answerOf(changed: ChangedLink): LinkStatus | Refusal {
  if ('link' in changed) return changed.link;
  const { issue } = changed;
  if (issue.code !== 'unknown-port') return refuseIssues(issue.code, [issue]);
  return new Refusal(404, issue.code, `${issue.message}; ${issue.hint}`);
}
