/** The part of the control API by which stations join. */
import * as z from 'zod';
import { isName } from '../lab/names.ts';
import { formatMac } from '../wire/mac.ts';
import type { Route } from './route.ts';
import { Refusal, route } from './route.ts';

const name = z.string().refine(isName, 'it must be small letters, digits and inner hyphens, at most 32');

const portRequest = z.strictObject({
  name: name.optional().describe('What the port is called; otherwise its kind and the lowest free number'),
  kind: name.default('guest').meta({ description: 'Begins the names of ports that are numbered', examples: ['exec'] }),
});

/** What is asked of a port. */
export type PortRequest = z.input<typeof portRequest>;

const invitedPort = z
  .strictObject({
    port: z.string().meta({ description: 'Its name in the status', examples: ['exec-1'] }),
    network: z.string(),
    socket: z.string().describe("The path of a unix socket that speaks QEMU's framing, as `-netdev stream` does"),
    mac: z.string().describe('An address for the station that nobody else in the lab has'),
    mtu: z.int(),
  })
  .meta({ id: 'InvitedPort' });

export type InvitedPort = z.output<typeof invitedPort>;

export const portRoutes: readonly Route[] = [
  route({
    method: 'POST',
    path: '/v1/networks/{network}/ports',
    summary: 'Makes a port where one station may plug in, within thirty seconds; the port is gone when it leaves',
    params: z.object({ network: z.string() }),
    body: portRequest,
    status: 201,
    answer: invitedPort,
    refusals: { 404: 'There is no such network', 409: 'A port has that name, or the host gives no socket' },
    handle: async ({ lab, params, body }) => {
      const network = lab.network(params.network);
      if (network === undefined) {
        const known = lab.plan.networks.map((each) => each.name).join(', ');
        return new Refusal(
          404,
          'no-such-network',
          `${lab.plan.name} has no network ${params.network}; it has ${known}`,
        );
      }
      const port = body.name ?? lab.invitations.freeName(body.kind);
      const invited = await lab.invitations.invite(network, port);
      if (invited === undefined) return new Refusal(409, 'port-taken', `${lab.plan.name} has a port ${port} already`);
      const { socket, mac } = invited;
      return { port, network: params.network, socket, mac: formatMac(mac), mtu: network.plan.mtu };
    },
  }),
];
