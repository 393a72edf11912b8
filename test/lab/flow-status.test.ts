import { expect, it } from 'vitest';
import { countFlows, flowStatus } from '../../src/lab/flow-status.ts';
import type { Flow } from '../../src/nat/flow.ts';
import { parseEndpoint } from '../../src/wire/endpoint-text.ts';

const web: Flow = {
  protocol: 'tcp',
  initiator: 'guest',
  guest: parseEndpoint('10.0.2.15:40000')!,
  peer: parseEndpoint('10.0.2.2:8000')!,
  target: { kind: 'tcp', endpoint: parseEndpoint('127.0.0.1:8000')! },
  state: 'open',
  fromGuest: 80,
  toGuest: 1_000_000,
  close: () => undefined,
};

it('a flow is told as people write endpoints', () => {
  expect(flowStatus('lan', web)).toEqual({
    network: 'lan',
    protocol: 'tcp',
    initiator: 'guest',
    guest: '10.0.2.15:40000',
    peer: '10.0.2.2:8000',
    target: '127.0.0.1:8000',
    state: 'open',
    fromGuest: 80,
    toGuest: 1_000_000,
  });
});

it.each([
  [{ target: { kind: 'unix', path: '/run/web.sock' } }, 'unix /run/web.sock'],
  [{ target: 'command cat' }, 'command cat'],
  [{ protocol: 'echo', target: { kind: 'tcp', endpoint: parseEndpoint('192.0.2.1:0')! } }, '192.0.2.1'],
  [{ target: undefined }, undefined],
] as const)('the target of %j is %s', (what, text) => {
  expect(flowStatus('lan', { ...web, ...what }).target).toBe(text);
});

it('a mapping that serves everybody has no peer', () => {
  expect(flowStatus('lan', { ...web, protocol: 'udp', peer: undefined })).not.toHaveProperty('peer');
});

it('flows are counted by protocol', () => {
  expect(countFlows([web, { ...web, protocol: 'echo' }, web])).toEqual({ tcp: 2, udp: 0, echo: 1 });
});
