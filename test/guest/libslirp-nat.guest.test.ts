/** As libslirp.guest.test.ts, where frames leave the network: TCP and UDP to the host and from it. */
import { once } from 'node:events';
import { expect, it } from 'vitest';
import { Workbench } from '../support/workbench.ts';
import type { BareMachine } from './support/bare-machine.ts';
import { Conversation, expectTalkAlike, shout } from './support/conversation.ts';
import { discover, GATEWAY, isIcmp, isUdp, ping, silence, towards, whoHas } from './support/dialogue.ts';
import type { Fields } from './support/frame-fields.ts';
import { boundSocket, callHost, freePort, startEcho, startShouter } from './support/host-servers.ts';
import { expectAlike, expectAllAlike, LEASE } from './support/intended-differences.ts';
import { describeGuests } from './support/qemu.ts';
import * as raw from './support/raw-frames.ts';
import { both, startUserNetworks } from './support/user-networks.ts';

describeGuests("what QEMU's user network and vmlan's make of TCP and UDP", () => {
  it('carry a TCP conversation to the host, from SYN to FIN', async () => {
    const port = await startShouter();
    const networks = await startUserNetworks(new Workbench(), '');
    await both(networks, discover);
    const talk = await both(networks, (machine) => shout(new Conversation(machine, GATEWAY, port, 40_001)));
    expectTalkAlike(talk);
  });

  it('tell the truth about a port where nobody listens, and about a server that resets', async () => {
    const [closed, resetting] = [await freePort(), await startShouter({ resets: true })];
    const networks = await startUserNetworks(new Workbench(), '');
    await both(networks, discover);
    const refused = await both(networks, (machine) => new Conversation(machine, GATEWAY, closed, 40_001).call());
    expect(refused.libslirp['tcp.flags']).toBe('RST ACK');
    expectAlike(refused, 'tcp-window');
    const reset = await both(networks, async (machine) => {
      const conversation = new Conversation(machine, GATEWAY, resetting, 40_002);
      await conversation.call();
      conversation.acknowledge();
      conversation.say('hello');
      return conversation.flagged('RST');
    });
    expectAlike(reset, 'tcp-window');
  });

  it('carry datagrams to the host and back', async () => {
    const { port } = await startEcho();
    const networks = await startUserNetworks(new Workbench(), '');
    await both(networks, discover);
    const echo = await both(networks, (machine) =>
      machine.answer(isUdp, raw.udpFrame(towards(machine, GATEWAY), 1111, port, raw.ascii('hello'))),
    );
    expectAlike(echo);
  });

  it('carry datagrams that are fragments both ways', async () => {
    const { port } = await startEcho();
    const networks = await startUserNetworks(new Workbench(), '');
    await both(networks, discover);
    const echo = await both(networks, async (machine) => {
      const isFragment = (frame: Fields) => frame['ip.source'] === GATEWAY && frame['ip.protocol'] === '17';
      const first = await machine.answer(isFragment, ...inFragments(machine, port, 4000));
      return [first, await machine.next(isFragment), await machine.next(isFragment)];
    });
    expect(echo.libslirp.map((fragment) => fragment['ip.fragment-offset'])).toEqual(['0', '1480', '2960']);
    expectAllAlike(echo);
  });

  it('say that nobody reads a UDP port', async () => {
    const closed = await freePort('udp');
    const ports = { libslirp: await freePort('udp'), vmlan: await freePort('udp') };
    // a gateway with a UDP forward is ready only when it can hear the host's ICMP errors
    const networks = await startUserNetworks(new Workbench(), '', {
      optionsOf: (peer) => `hostfwd=udp:127.0.0.1:${ports[peer]}-:53`,
    });
    await both(networks, discover);
    const refused = await both(networks, (machine) =>
      machine.answer(isIcmp, raw.udpFrame(towards(machine, GATEWAY), 1112, closed, raw.ascii('hello'))),
    );
    expect(refused.libslirp).toMatchObject({ 'icmp.type': '3', 'icmp.code': '3' });
    expectAlike(refused, 'icmp-error-source', 'icmp-error-header', 'icmp-quote-ttl');
  });

  it('lead nowhere under `restrict`, but lease, answer pings and forward', async () => {
    const [tcp, udp] = [await startShouter(), await startEcho()];
    const bench = new Workbench();
    const options = `restrict=on,guestfwd=tcp:10.0.2.100:1234-cmd:cat,tftp=${bench.makeFolder('files')}`;
    const networks = await startUserNetworks(bench, options);
    const offer = await both(networks, discover);
    expect(offer.libslirp).not.toHaveProperty(['dhcp.option.3']);
    expectAlike(offer, ...LEASE);
    expectAlike(await both(networks, (machine) => ping(machine, GATEWAY)), 'time-to-live');
    const refused = await both(networks, (machine) => new Conversation(machine, GATEWAY, tcp, 40_001).call());
    expect(refused.libslirp['tcp.flags']).toBe('RST ACK');
    expectAlike(refused, 'tcp-reset-header');
    const lost = await both(networks, (machine) =>
      silence(machine, GATEWAY, raw.udpFrame(towards(machine, GATEWAY), 1111, udp.port, raw.ascii('hello'))),
    );
    expect(lost.libslirp).toEqual([]);
    expect(lost.vmlan).toEqual([expect.objectContaining({ 'icmp.type': '3', 'icmp.code': '3' })]);
    expect(udp.heard()).toBe(0);
    await both(networks, (machine) => whoHas(machine, '10.0.2.100'));
    expectTalkAlike(await both(networks, (machine) => shout(new Conversation(machine, '10.0.2.100', 1234, 40_002))));
  });

  it('lead `hostfwd` over TCP into the guest and back', async () => {
    const ports = { libslirp: await freePort(), vmlan: await freePort() };
    const networks = await startUserNetworks(new Workbench(), '', {
      optionsOf: (peer) => `hostfwd=tcp:127.0.0.1:${ports[peer]}-:22`,
    });
    await both(networks, discover);
    const talk = await bothNamed(networks, async (machine, peer) => {
      const conversation = new Conversation(machine, GATEWAY, 0, 22);
      const client = await callHost(ports[peer]);
      const heard = [await conversation.called()];
      await conversation.accept();
      client.write('hello');
      heard.push(await conversation.payload());
      conversation.acknowledge();
      conversation.say('HELLO');
      expect(String((await once(client, 'data'))[0])).toBe('HELLO');
      client.end();
      heard.push(await conversation.flagged('FIN'));
      conversation.finish();
      await once(client, 'close');
      return heard;
    });
    expectTalkAlike(talk);
  });

  it('lead `hostfwd` over UDP into the guest and back', async () => {
    const ports = { libslirp: await freePort('udp'), vmlan: await freePort('udp') };
    const networks = await startUserNetworks(new Workbench(), '', {
      optionsOf: (peer) => `hostfwd=udp:127.0.0.1:${ports[peer]}-:53`,
    });
    await both(networks, discover);
    const arrived = await bothNamed(networks, async (machine, peer) => {
      const client = await boundSocket();
      client.send('hello', ports[peer], '127.0.0.1');
      const { 'udp.ports': udpPorts, ...frame } = await machine.next(isUdp);
      const [source, destination] = udpPorts!.split(' ').map(Number) as [number, number];
      machine.send(raw.udpFrame(towards(machine, GATEWAY), destination, source, raw.ascii('HELLO')));
      const [answer, from] = await once(client, 'message');
      return { ...frame, 'host.answer': String(answer), 'host.from': String(from.port === ports[peer]) };
    });
    expect(arrived.libslirp).toMatchObject({ 'host.answer': 'HELLO', 'host.from': 'true' });
    expectAlike(arrived);
  });

  it('lead `guestfwd` to a command and to a server of the host', async () => {
    const port = await startShouter();
    const options = `guestfwd=tcp:10.0.2.100:1234-cmd:cat,guestfwd=tcp:10.0.2.100:1235-tcp:127.0.0.1:${port}`;
    const networks = await startUserNetworks(new Workbench(), options);
    await both(networks, discover);
    expectAlike(await both(networks, (machine) => whoHas(machine, '10.0.2.100')), 'arp-length', 'one-station');
    expectTalkAlike(await both(networks, (machine) => shout(new Conversation(machine, '10.0.2.100', 1234, 40_001))));
    const talk = await both(networks, async (machine) => {
      const conversation = new Conversation(machine, '10.0.2.100', 1235, 40_002);
      const answer = await conversation.call();
      conversation.acknowledge();
      conversation.say('hello');
      return [answer, await conversation.payload()];
    });
    expectTalkAlike(talk);
  });
});

async function bothNamed<T>(
  networks: { readonly libslirp: BareMachine; readonly vmlan: BareMachine },
  ask: (machine: BareMachine, peer: 'libslirp' | 'vmlan') => Promise<T>,
): Promise<{ readonly libslirp: T; readonly vmlan: T }> {
  return both(networks, (machine) => ask(machine, machine === networks.vmlan ? 'vmlan' : 'libslirp'));
}

function inFragments(machine: BareMachine, port: number, length: number): Uint8Array[] {
  const ends = towards(machine, GATEWAY);
  const datagram = raw.udpOctets(ends, 1111, port, Array<number>(length).fill(0x78));
  const offsets = Array.from({ length: Math.ceil(datagram.length / 1480) }, (_, i) => i * 1480);
  return offsets.map((offset) =>
    raw.ipv4Frame(ends, 17, datagram.slice(offset, offset + 1480), {
      identification: 99,
      fragmentOffset: offset,
      moreFragments: offset + 1480 < datagram.length,
    }),
  );
}
