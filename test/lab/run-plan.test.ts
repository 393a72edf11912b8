import { describe, expect, it } from 'vitest';
import { formatIssue } from '../../src/base/issue.ts';
import type { RunSettings } from '../../src/lab/run-plan.ts';
import { runPlan } from '../../src/lab/run-plan.ts';
import { readQemuCommand } from '../../src/qemu/command-line.ts';
import { formatIpv4Interface } from '../../src/wire/ipv4-address.ts';

function planOf(words: string, settings: Partial<RunSettings> = {}) {
  const { networks } = readQemuCommand(['qemu-system-x86_64', ...words.split(' ')]);
  return runPlan({ name: 'run-1', networks, listensEverywhere: false, ...settings });
}

function networksOf(words: string, settings: Partial<RunSettings> = {}) {
  const result = planOf(words, settings);
  expect(result).not.toHaveProperty('issues');
  return (result as Extract<typeof result, { plan: unknown }>).plan.networks;
}

describe('the plan of run', () => {
  it('has a network for each user network, on its own and as it was asked for', () => {
    const networks = networksOf('-netdev user,id=n0 -nic user,net=10.9.0.0/24');
    expect(networks.map(({ name, gateway }) => [name, formatIpv4Interface(gateway!.interface!)])).toEqual([
      ['n0', '10.0.2.2/24'],
      ['net1', '10.9.0.2/24'],
    ]);
  });

  it('lets guests reach the loopback of the host, as in QEMU', () => {
    expect(networksOf('-nic user')[0]?.gateway?.nat).toEqual({
      isRestricted: false,
      hostAccess: 'all',
      allowsMetadata: false,
    });
  });

  it.each([
    [false, [127, 0, 0, 1]],
    [true, [0, 0, 0, 0]],
  ])('listens for hostfwd everywhere only where it is told to: %s', (listensEverywhere, address) => {
    const [network] = networksOf('-nic user,hostfwd=tcp::2222-:22', { listensEverywhere });
    expect(network?.gateway?.hostForwards).toMatchObject([{ listen: { address: Uint8Array.from(address) } }]);
  });

  it('names networks so that each can be asked for', () => {
    const words = '-netdev user,id=Net_1 -netdev user,id=net.1 -netdev user,id=net2 -nic user -netdev user,id=___';
    expect(networksOf(words).map(({ name }) => name)).toEqual(['net-1', 'net1', 'net2', 'net3', 'net4']);
    expect(networksOf('-netdev user,id=net1 -nic user').map(({ name }) => name)).toEqual(['net1', 'net1-x']);
  });

  it('is refused with the network and the option of each mistake', () => {
    const result = planOf('-nic user,host=1.2.3.4 -netdev user,id=n1,net=x', { name: 'Run' });
    expect('issues' in result ? result.issues.map(formatIssue) : []).toEqual([
      expect.stringMatching(/^--name: "Run" is not a name.*; write run$/),
      '-nic user.host: 1.2.3.4 is outside 10.0.2.0/24; take one from 10.0.2.1 to 10.0.2.254',
      '-netdev n1.net: "x" is not a network; write it as 10.0.2.0/24',
    ]);
  });

  it('takes a capture of all networks', () => {
    expect(planOf('-nic user', { capture: 'a.pcap' })).toMatchObject({
      plan: { captures: [{ file: 'a.pcap', format: 'pcap', of: { kind: 'lab' } }] },
    });
  });
});
