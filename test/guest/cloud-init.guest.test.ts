import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { startVmlan } from '../support/vmlan.ts';
import { Workbench } from '../support/workbench.ts';
import { bootedGuest, consoleGuest } from './support/console-guest.ts';
import { describeGuests } from './support/qemu.ts';

const KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl me\n';

const lab = (machine: string) => `name: cloud
networks: { lan: {} }
nodes:
  web:
    nics: [lan]
    qemu: { ${machine}, stop: 0s }
    cloud-init:
      hostname: www
      ssh-authorized-keys: keys
      user-data:
        users: []
        disable_root: false
        ssh_deletekeys: false
        ssh_genkeytypes: []
        write_files: [{ path: /made, content: by cloud-init }]
`;

describeGuests('a machine with cloud-init', () => {
  it('finds by SMBIOS what the lab says, and does it', async () => {
    const bench = new Workbench();
    const cloudInit = execFileSync(fileURLToPath(new URL('rig/build-cloud-init', import.meta.url)), {
      encoding: 'utf8',
    });
    const file = bench.path('cloud.yaml');
    writeFileSync(bench.path('keys'), KEY);
    writeFileSync(file, lab(consoleGuest(bench, ['python.cpio', cloudInit.trim()])));
    await startVmlan(bench, ['up', file]);
    const web = await bootedGuest(bench, 'web', 1000);
    await web.must('udhcpc -i eth0 -n -q -t 10 -T 1 -A 1 -s /etc/udhcpc.script');
    await web.must('python3 /usr/bin/cloud-init init', 120);
    expect(await web.must('cat /made && echo && hostname && cat /root/.ssh/authorized_keys')).toBe(
      `by cloud-init\nwww\n${KEY}`,
    );
  });
});
