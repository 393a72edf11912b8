/** The part of the control API that tells what is. */
import * as z from 'zod';
import {
  flowStatusSchema,
  labStatusSchema,
  leaseStatusSchema,
  macStatusSchema,
  namesStatusSchema,
} from '../lab/status-schemas.ts';
import type { Told } from '../lab/told.ts';
import type { Route } from './route.ts';
import { route } from './route.ts';

const statusAnswer = z.strictObject({
  pid: z.int(),
  version: z.string().describe('Of vmlan'),
  file: z.exactOptional(z.string()).describe('The lab file, where there is one'),
  ...labStatusSchema.shape,
});
export type StatusAnswer = Told<typeof statusAnswer>;

export const statusRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/v1/status',
    summary: 'What the lab is and what passed through it',
    status: 200,
    answer: statusAnswer,
    handle: ({ lab, pid, version, file }) => ({ pid, version, ...(file !== undefined && { file }), ...lab.status() }),
  }),
  route({
    method: 'GET',
    path: '/v1/leases',
    summary: 'DHCP leases of all networks',
    status: 200,
    answer: z.strictObject({ leases: z.array(leaseStatusSchema) }),
    handle: ({ lab }) => ({ leases: lab.leases() }),
  }),
  route({
    method: 'GET',
    path: '/v1/flows',
    summary: 'Conversations of guests with the world and the host',
    status: 200,
    answer: z.strictObject({ flows: z.array(flowStatusSchema) }),
    handle: ({ lab }) => ({ flows: lab.flows() }),
  }),
  route({
    method: 'GET',
    path: '/v1/macs',
    summary: 'Stations that switches heard, and where',
    status: 200,
    answer: z.strictObject({ macs: z.array(macStatusSchema) }),
    handle: ({ lab }) => ({ macs: lab.macs() }),
  }),
  route({
    method: 'GET',
    path: '/v1/names',
    summary: 'Names that the name servers of the networks know, and who answers for others',
    status: 200,
    answer: z.strictObject({ networks: z.array(namesStatusSchema) }),
    handle: ({ lab }) => ({ networks: lab.names() }),
  }),
];
