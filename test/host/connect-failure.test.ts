import { constants } from 'node:os';
import { expect, it, onTestFinished } from 'vitest';
import type { HostIcmpError } from '../../src/base/host-net.ts';
import { connectFailure } from '../../src/host/connect-failure.ts';
import { localError } from '../../src/host/kernel-datagrams.ts';
import { NodeHostNet } from '../../src/host/node-host-net.ts';
import { parseAddress } from '../../src/wire/endpoint-text.ts';
import { waitFor } from '../support/wait-for.ts';

it.each(['ENETUNREACH', 'EADDRNOTAVAIL', 'EAFNOSUPPORT'])('knows by %s that no way leads to the network', (code) => {
  expect(connectFailure(code)).toBe('network-unreachable');
});

it.each([
  { length: 4, error: { type: 3, code: 0 } },
  { length: 16, error: { type: 1, code: 0 } },
])(
  'tells of datagrams for $length octets of address that the host has no address to send from',
  ({ length, error }) => {
    const to = { address: new Uint8Array(length), port: 9 };
    expect(localError(constants.errno.EADDRNOTAVAIL, to)).toMatchObject({ ...error, reporter: undefined, to });
  },
);

it.each([
  { family: 4, source: '192.0.2.77', to: '127.0.0.1', error: { type: 3, code: 0 } },
  { family: 6, source: '2001:db8::77', to: '::1', error: { type: 1, code: 0 } },
] as const)('hears of the kernel that $source is no address of the host', async ({ family, source, to, error }) => {
  const errors: HostIcmpError[] = [];
  const events = { received: () => undefined, refused: (heard: HostIcmpError) => void errors.push(heard) };
  const socket = new NodeHostNet().socket(family, events, { source: parseAddress(source)! });
  onTestFinished(() => socket.close());
  socket.send(new Uint8Array(1), { address: parseAddress(to)!, port: 9 });
  await waitFor(() => errors.length > 0);
  expect(errors).toMatchObject([{ ...error, reporter: undefined, quote: new Uint8Array(1) }]);
});
