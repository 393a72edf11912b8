/** As libslirp.guest.test.ts, where the host itself has a world: a resolver, routers and a machine behind them. */
import { expect, it } from 'vitest';
import { Workbench } from '../support/workbench.ts';
import type { BareMachine } from './support/bare-machine.ts';
import { Conversation, expectTalkAlike, shout } from './support/conversation.ts';
import { DNS, discover, GATEWAY, isIcmp, isUdp, ping, towards, whoHas } from './support/dialogue.ts';
import { dnsFields } from './support/frame-fields.ts';
import { expectAlike } from './support/intended-differences.ts';
import { describeGuests } from './support/qemu.ts';
import * as raw from './support/raw-frames.ts';
import { both, startUserNetworks, type UserNetworks } from './support/user-networks.ts';
import { FAR, World } from './support/world.ts';

const A = 1;
const AAAA = 28;
const MX = 15;

describeGuests("QEMU's user network and vmlan's in one world", () => {
  it("ask the host's resolver, over UDP and TCP", async () => {
    const { networks } = await networksInAWorld();
    const ask = (id: number, name: string, type: number) =>
      both(networks, (machine) =>
        machine.answer(isUdp, raw.udpFrame(towards(machine, DNS, DNS), 1111 + id, 53, raw.dnsQuery(id, name, type))),
      );
    const answer = await ask(1, 'www.example', A);
    expect(answer.libslirp['dns.answer']).toContain('c0000250');
    expectAlike(answer, 'dns-authority');
    expectAlike(await ask(2, 'www.example', AAAA));
    expectAlike(await ask(3, 'www.example', MX), 'dns-authority');
    expectAlike(await ask(4, 'nobody.example', A));
    const askOverTcp = async (machine: BareMachine) => {
      const conversation = new Conversation(machine, DNS, 53, 40_001);
      await conversation.call();
      const query = raw.dnsQuery(5, 'www.example', A);
      conversation.acknowledge();
      conversation.say(Buffer.from([...raw.u16(query.length), ...query]).toString('latin1'));
      const octets = Buffer.from((await conversation.payload())['tcp.payload']!, 'hex');
      conversation.reset();
      return dnsFields(octets.subarray(2));
    };
    const overTcp = { libslirp: await askOverTcp(networks.libslirp), vmlan: await askOverTcp(networks.vmlan) };
    expect(overTcp.libslirp['dns.answer']).toContain('c0000250');
    expectAlike(overTcp, 'dns-authority');
  });

  it('carry pings to a machine behind routers', async () => {
    const { networks } = await networksInAWorld();
    expectAlike(await both(networks, (machine) => ping(machine, FAR)), 'time-to-live');
  });

  it('say when a datagram finds no host', async () => {
    const { networks } = await networksInAWorld();
    const lost = await both(networks, (machine) =>
      machine.answer(isIcmp, raw.udpFrame(towards(machine, '203.0.113.9'), 1111, 9, raw.ascii('hello'))),
    );
    expectAlike(lost, 'icmp-error-header', 'icmp-quote-ttl');
  });

  it("hand a connection to `smbserver` to the host's smbd", async () => {
    const { networks } = await networksInAWorld('smb=/,smbserver=10.0.2.4', async (world) => {
      await world.must('host', 'mount -t tmpfs none /usr/sbin'); // where Debian's QEMU looks for it
      await world.must('host', 'printf "#!/bin/sh\\nexec cat >&0\\n" >/usr/sbin/smbd && chmod +x /usr/sbin/smbd');
    });
    expectAlike(await both(networks, (machine) => whoHas(machine, '10.0.2.4')), 'arp-length', 'one-station');
    for (const port of [139, 445]) {
      const talk = await both(networks, (machine) => shout(new Conversation(machine, '10.0.2.4', port, 40_000 + port)));
      expectTalkAlike(talk);
    }
  });
});

async function networksInAWorld(
  options = '',
  change: (world: World) => Promise<void> = async () => {},
): Promise<{ readonly networks: UserNetworks }> {
  const bench = new Workbench();
  const world = await World.start(bench);
  await world.startResolver(['--host-record=www.example,192.0.2.80', '--mx-host=www.example,mail.example,5']);
  await change(world);
  const more = options === '' ? '' : `,${options}`;
  const networks = await startUserNetworks(bench, '', {
    optionsOf: (peer) => `hostfwd=udp:127.0.0.1:${peer === 'vmlan' ? 9001 : 9002}-:53${more}`,
    start: (command, args) => world.start('host', command, args),
  });
  await both(networks, async (machine) => {
    await discover(machine);
    for (const address of [GATEWAY, DNS]) await whoHas(machine, address);
  });
  return { networks };
}
