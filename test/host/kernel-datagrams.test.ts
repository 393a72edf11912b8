import { describe, expect, it, onTestFinished } from 'vitest';
import type { Endpoint } from '../../src/base/endpoint.ts';
import type { HostDatagramSocket, HostIcmpError } from '../../src/base/host-net.ts';
import { NodeHostNet } from '../../src/host/node-host-net.ts';
import { waitFor } from '../support/wait-for.ts';

const LOOPBACK = new Uint8Array([127, 0, 0, 1]);

/** A port of loopback at which nobody is. */
async function closedPort(net: NodeHostNet): Promise<Endpoint> {
  const bound = await net.bind({ address: LOOPBACK, port: 0 }, { received: () => undefined, refused: () => undefined });
  const { local } = bound;
  bound.close();
  return local!;
}

async function scene() {
  const net = new NodeHostNet();
  const errors: HostIcmpError[] = [];
  const received: string[] = [];
  const socket: HostDatagramSocket = net.socket(4, {
    received: (bytes) => received.push(new TextDecoder().decode(bytes)),
    refused: (error) => errors.push(error),
  });
  onTestFinished(() => socket.close());
  return { net, errors, received, socket };
}

describe('UDP by system calls', () => {
  it('hears that nobody is at a port, every time', async () => {
    const { net, errors, socket } = await scene();
    const to = await closedPort(net);
    for (let sent = 1; sent <= 3; sent++) {
      socket.send(new Uint8Array([sent, 2, 3]), to);
      await waitFor(() => errors.length === sent);
    }
    const common = { type: 3, code: 3, mtu: 0, reporter: LOOPBACK, to };
    expect(errors).toEqual([1, 2, 3].map((first) => ({ ...common, quote: new Uint8Array([first, 2, 3]) })));
  });

  it('sends to others right behind a refusal', async () => {
    const { net, errors, socket } = await scene();
    const to = await closedPort(net);
    const heard: string[] = [];
    const bound = await net.bind(
      { address: LOOPBACK, port: 0 },
      { received: (bytes) => heard.push(new TextDecoder().decode(bytes)), refused: () => undefined },
    );
    onTestFinished(() => bound.close());
    socket.send(new TextEncoder().encode('lost'), to);
    socket.send(new TextEncoder().encode('found'), bound.local!);
    await waitFor(() => heard.length === 1 && errors.length === 1);
    expect(heard).toEqual(['found']);
  });

  it('reports what the host itself refuses', async () => {
    const { errors, socket } = await scene();
    // A broadcast is not permitted to a socket that has not asked for it.
    socket.send(new Uint8Array(1), { address: new Uint8Array([127, 255, 255, 255]), port: 9 });
    expect(errors).toEqual([]);
    await waitFor(() => errors.length === 1);
    expect(errors[0]).toMatchObject({ type: 3, code: 13, reporter: undefined, quote: new Uint8Array(1) });
  });

  it('takes and gives more than a burst at once', async () => {
    const { net, received, socket } = await scene();
    socket.send(new Uint8Array(1), await closedPort(net));
    const bound = await net.bind(
      { address: LOOPBACK, port: 0 },
      { received: () => undefined, refused: () => undefined },
    );
    onTestFinished(() => bound.close());
    const to = { address: LOOPBACK, port: socket.local!.port };
    for (let i = 0; i < 200; i++) bound.send(new TextEncoder().encode(`${i}`), to);
    await waitFor(() => received.length === 200);
    expect(received).toEqual(Array.from({ length: 200 }, (_, i) => `${i}`));
  });
});
