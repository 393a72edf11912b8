import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { namespaceProblem } from '../../src/host/user-namespaces.ts';
import { shellQuote } from '../../src/qemu/shell-words.ts';
import type { Child } from '../support/child.ts';
import { ordinaryUser } from '../support/ordinary-user.ts';
import { leases, runVmlan, spawnVmlan, startVmlan, status, vmlanCommand } from '../support/vmlan.ts';
import { waitFor } from '../support/wait-for.ts';
import { Workbench } from '../support/workbench.ts';

const problem = process.platform === 'linux' ? namespaceProblem() : { message: 'this is not Linux', hint: '' };

const SCRIPT = `
  id -u; ls /sys/class/net | xargs; cat /etc/resolv.conf | grep nameserver
  ping -qc1 -W5 10.0.2.2 >/dev/null && echo pinged
  dig +short exec-1; getent hosts exec-1 | cut -d' ' -f1
  grep -c . /proc/net/route; exit 7`;

/** An untagged card sends a frame that is tagged, of an EtherType for experiments. */
const SEND_TAGGED = `
import socket
wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
wire.bind(('eth0', 0))
wire.send(bytes.fromhex('ffffffffffff 525400000009 81000007 88b5') + bytes(46))`;

async function served(...options: readonly string[]) {
  const bench = new Workbench(ordinaryUser);
  const lab = await startVmlan(bench, ['serve', '--name', 'lab', ...options]);
  return { bench, lab };
}

const heard = (child: Child, text: string) => child.until(text, () => (child.stdout.includes(text) ? true : undefined));

/** Whether a process lives among whose words `word` is. */
function lives(word: string): boolean {
  return readdirSync('/proc').some((pid) => /^\d+$/.test(pid) && wordsOf(pid).split('\0').includes(word));
}

function wordsOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return ''; // it has ended
  }
}

describe.skipIf(problem !== undefined && process.env['VMLAN_REQUIRE_GUESTS'] !== '1')(
  `vmlan exec${problem === undefined ? '' : ` (skipped: ${problem.message})`}`,
  { timeout: 60_000 },
  () => {
    it('runs a command as a station of the network: it has a lease, a name, the lab to ask for names, and one card', async () => {
      const { bench } = await served();
      const child = await runVmlan(bench, ['exec', 'lan', '--', 'sh', '-c', SCRIPT]);
      const said = [
        String(ordinaryUser.uid),
        'eth0 lo',
        'nameserver 10.0.2.3',
        'pinged',
        '10.0.2.15',
        '10.0.2.15',
        '3',
      ];
      expect(child.stdout.trim().split('\n')).toEqual(said);
      expect(child.status).toBe(7);
      expect((await status(bench)).ports.map(({ port }) => port)).toEqual(['lan:gateway']);
      expect((await leases(bench)).filter(({ state }) => state === 'bound')).toEqual([]);
    });

    it('lets the command decide what a signal means, and is itself its terminal', async () => {
      const { bench } = await served();
      const script = 'trap "echo heard" TERM; echo ready; read line; echo got $line; kill -KILL $$';
      const words = ['exec', 'lan', '--', 'bash', '-c', script];
      const child = spawnVmlan(bench, words);
      await heard(child, 'ready');
      child.signal('SIGTERM');
      await heard(child, 'heard');
      child.write('a line\n');
      await heard(child, 'got a line');
      expect((await child.exited).status).toBe(137);
      const terminal = bench.start('script', ['-qec', `exec ${shellQuote([...vmlanCommand, ...words])}`, '/dev/null']);
      await heard(terminal, 'ready');
      terminal.write('\x03');
      expect((await terminal.exited).status).toBe(130);
    });

    it.each(['vmlan exec', 'the lab'])('leaves nothing behind when %s is killed', async (victim) => {
      const { bench, lab } = await served();
      const mark = bench.freshPath('mark');
      const script = `setsid bash -c 'exec -a ${mark} sleep 1000' & trap "" HUP; echo ready; wait`;
      const child = spawnVmlan(bench, ['exec', 'lan', '--', 'bash', '-c', script]);
      await heard(child, 'ready');
      await waitFor(() => lives(mark));
      if (victim === 'the lab') await lab.kill();
      else child.signal('SIGKILL');
      await child.exited;
      await waitFor(() => !lives(mark));
      if (victim === 'the lab') expect(child.stderr).toContain('vmlan: the network lan has gone; the command ends');
      else while ((await status(bench)).ports.length > 1);
    });

    it('needs no DHCP where it is given an address, passes VLAN tags, and its port has the name it was given', async () => {
      const { bench } = await served('--no-gateway');
      const far = ['exec', 'lan', '--name', 'far', '--address', '10.9.0.1/24', '--'];
      const shark = spawnVmlan(bench, [
        ...far,
        'tshark',
        '-lni',
        'eth0',
        '-T',
        'fields',
        '-e',
        'vlan.id',
        '-e',
        'icmp.type',
      ]);
      await shark.until('recording', () => (shark.stderr.includes('Capturing') ? true : undefined));
      const near = ['exec', 'lan', '--address', '10.9.0.2/24', '--', 'sh', '-c'];
      const child = await runVmlan(bench, [
        ...near,
        `until ping -qc1 -W1 10.9.0.1; do :; done; python3 -c "${SEND_TAGGED}"`,
      ]);
      expect(child.status).toBe(0);
      await heard(shark, '\t0');
      await heard(shark, '7\t');
      expect((await status(bench)).ports.map(({ port }) => port)).toEqual(['far']);
    });

    it('says all that is wrong with its options, that there is no such network, and as shells do that there is no such command', async () => {
      const { bench } = await served('--no-gateway');
      const wrong = await runVmlan(bench, ['exec', 'lan', '--via', '10.0.2', '--dns', 'one', '--', 'true']);
      expect(wrong.status).toBe(2);
      expect(wrong.stderr.match(/^vmlan exec: /gm)).toHaveLength(3);
      const lost = await runVmlan(bench, ['exec', 'wan', '--', 'true']);
      expect([lost.status, lost.stderr]).toEqual([2, 'vmlan: lab has no network wan; it has lan\n']);
      const none = await runVmlan(bench, ['exec', 'lan', '--address', '10.9.0.2/24', '--', 'no-such-program']);
      expect([none.status, none.stderr]).toEqual([127, expect.stringContaining('no-such-program was not found')]);
    });
  },
);
