/** The part of the control API that tells what is. */
import * as z from 'zod';
import { flowStatusSchema, labStatusSchema, leaseStatusSchema } from '../lab/status-schemas.ts';
import type { Route } from './route.ts';
import { route } from './route.ts';

export const statusRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/v1/status',
    summary: 'What the lab is and what passed through it',
    status: 200,
    answer: z.strictObject({ pid: z.int(), version: z.string(), ...labStatusSchema.shape }),
    handle: ({ lab, pid, version }) => ({ pid, version, ...lab.status() }),
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
];
