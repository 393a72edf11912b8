import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { ordinaryUser } from '../support/ordinary-user.ts';
import { runVmlan, spawnVmlan } from '../support/vmlan.ts';
import { Workbench } from '../support/workbench.ts';
import { bootedGuest, consoleGuest } from './support/console-guest.ts';
import { describeGuests } from './support/qemu.ts';

const DHCP = 'udhcpc -i eth0 -n -q -t 10 -T 1 -A 1 -s /etc/udhcpc.script';
const WHOLE_LOG = 1000;

describeGuests('an account without privileges', () => {
  it('runs a lab of real machines from the file to its end', async () => {
    const bench = new Workbench(ordinaryUser);
    const machine = consoleGuest(bench);
    writeFileSync(bench.path('machine.yaml'), `defaults: { node: { nics: [lan], qemu: { ${machine}, stop: 0s } } }\n`);
    const file = bench.path('office.yaml');
    writeFileSync(file, 'name: office\nextends: machine.yaml\nnetworks: { lan: {} }\nnodes: { web: {}, db: {} }\n');
    const must = async (...words: readonly string[]) => {
      const { status, stdout, transcript } = await runVmlan(bench, words);
      if (status !== 0) throw new Error(transcript);
      return stdout;
    };
    expect(await must('up', '-d', file)).toMatch(/^lab office is up/);
    const logs = spawnVmlan(bench, ['logs', '-f']);
    const says = (text: string) => logs.until(text, () => logs.stdout.includes(text) || undefined);
    const [web, db] = await Promise.all(['web', 'db'].map((node) => bootedGuest(bench, node, WHOLE_LOG)));
    await Promise.all([web!.must(DHCP), db!.must(DHCP)]);
    await web!.must('mkdir -p /www && echo a page >/www/index.html && httpd -h /www');

    const joined = await must('exec', 'lan', '--', 'sh', '-c', 'id -u; curl -sS http://web/; ping -qc1 -W9 db');
    expect(joined).toMatch(new RegExp(`^${ordinaryUser.uid}\na page\n.*1 received`, 's'));
    const shell = spawnVmlan(bench, ['shell', 'lan']);
    shell.write('ping -qc1 -W9 web; exit 7\n');
    expect([(await shell.exited).status, shell.stdout]).toEqual([7, expect.stringContaining('1 received')]);

    const proxy = spawnVmlan(bench, ['proxy', '--port', '0', '--json']);
    const port = await proxy.until('ready', () => /"port":(\d+)/.exec(proxy.stdout)?.[1]);
    for (const scheme of ['socks5h', 'http']) {
      const page = await bench.run('curl', ['-sS', '-x', `${scheme}://127.0.0.1:${port}`, 'http://web/']);
      expect(page.stdout).toBe('a page\n');
    }

    expect(await must('complete', '--', 'node', 'stop', 'd')).toMatch(/^db\t/);
    expect(await must('node', 'stop', 'db')).toBe('db is stopped\n');
    await says('db was switched off');
    expect((await web!.sh('ping -c1 -W1 db')).status).not.toBe(0);
    expect(await must('node', 'start', 'db')).toBe('db runs\n');
    await says('db is started');
    await (await bootedGuest(bench, 'db', 0)).must(DHCP);
    await web!.must('until ping -c1 -W1 db; do usleep 200000; done'); // its IPv6 address is not in use at once

    await must('doctor');
    expect(await must('down')).toBe('lab office is down\n');
    expect((await logs.exited).status).toBe(0);
    expect(existsSync(bench.path('state/vmlan/office/lab.log'))).toBe(true);
    expect(readdirSync(bench.path('run/vmlan'))).toEqual([]);
  });
});
