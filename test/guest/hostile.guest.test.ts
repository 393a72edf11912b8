import { expect, it } from 'vitest';
import { startVmlan, status } from '../support/vmlan.ts';
import { Workbench } from '../support/workbench.ts';
import { connectTo, startGuest } from './support/guest.ts';
import { describeGuests } from './support/qemu.ts';

const FLOODER = '52:54:00:00:00:0a';
const STALLED = '52:54:00:00:00:0b';
const WITNESS = '52:54:00:00:00:0c';

describeGuests('a machine that stops reading', () => {
  it('costs vmlan no memory and its neighbours nothing: what it does not take is dropped by name', async () => {
    const bench = new Workbench();
    const socket = bench.path('net.sock');
    const vmlan = await startVmlan(bench, ['serve', '--listen', `unix:${socket}`]);
    const boot = (mac: string) => startGuest(bench, { nics: [{ netdev: connectTo(socket), mac }], dhcp: true });
    const [flooder, stalled, witness] = await Promise.all([boot(FLOODER), boot(STALLED), boot(WITNESS)]);
    const target = await stalled.address();
    const neighbour = await flooder.address();
    await flooder.must(`ip neigh replace ${target} lladdr ${STALLED} dev eth0`);
    const { networks } = await status(bench);
    const port = networks[0]?.stations.find(({ mac }) => mac === STALLED)?.port;
    const dropped = async (atLeast: number) => {
      let count = 0;
      while (count < atLeast)
        count = (await status(bench)).ports.find((each) => each.port === port)?.drops['egress-full'] ?? 0;
    };

    stalled.signal('SIGSTOP');
    await flooder.must(`socat -u -b 1400 /dev/zero UDP-DATAGRAM:${target}:9 >/dev/null 2>&1 & flood=$!`);
    await dropped(1000);
    const early = vmlan.memory;
    await witness.must(`ping -c5 -i.2 ${networks[0]?.gateway?.address}`);
    await witness.must(`ping -c5 -i.2 ${neighbour}`);
    await dropped(20_000);
    expect(vmlan.memory - early).toBeLessThan(24);

    await flooder.must('kill $flood');
    stalled.signal('SIGCONT');
    await witness.must(`ping -c3 -i.2 -W5 ${target}`);
  });
});
