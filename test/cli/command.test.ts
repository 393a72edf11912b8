import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { PcapngReader } from '../../src/capture/pcapng-reader.ts';
import { BROADCAST_MAC } from '../../src/wire/mac.ts';
import { A, frame } from '../support/frames.ts';
import type { Vmlan } from '../support/vmlan.ts';
import { runVmlan, spawnVmlan, startVmlan, status, vmlanCommand } from '../support/vmlan.ts';
import { waitFor } from '../support/wait-for.ts';
import { Workbench } from '../support/workbench.ts';

async function serve(bench: Workbench, ...words: readonly string[]): Promise<Vmlan> {
  return startVmlan(bench, ['serve', ...words]);
}

/** A machine of a few octets: says one broadcast. */
function plugIn(path: string, frames: readonly Uint8Array[] = [frame(BROADCAST_MAC, A)]) {
  const socket = connect(path);
  socket.on('error', () => undefined);
  for (const bytes of frames) {
    const prefix = Buffer.alloc(4);
    prefix.writeUInt32BE(bytes.length);
    socket.write(Buffer.concat([prefix, bytes]));
  }
  return socket;
}

/** A gateway that says nothing unasked. */
const SILENT = ['--user', 'ipv6=off'];

describe('vmlan serve', () => {
  it('serves machines, tells about them and stops cleanly', async () => {
    const bench = new Workbench();
    const vm = bench.path('vm.sock');
    const child = await serve(
      bench,
      '--listen',
      `unix:${vm}`,
      '--listen',
      'tcp:127.0.0.1:0',
      '--capture',
      bench.path('all.pcapng'),
      ...SILENT,
    );
    const machine = plugIn(vm);
    await child.event('port-connected');
    const { ports } = await status(bench);
    expect(ports.find(({ port }) => port === 'vm1')).toMatchObject({
      connected: true,
      fromGuest: { frames: 1, octets: 60 },
    });
    expect(statSync(bench.path('run/vmlan/serve/control.sock')).mode & 0o777).toBe(0o600);
    machine.destroy();

    expect(await child.stop()).toEqual({ status: 0, signal: undefined });
    expect(existsSync(vm)).toBe(false);
    expect(existsSync(bench.path('run/vmlan/serve'))).toBe(false);
    const reader = new PcapngReader();
    expect(reader.feed(readFileSync(bench.path('all.pcapng')))).toHaveLength(1);
    expect(reader.interfaces[0]).toMatchObject({ name: 'vm1', mac: A, heard: 1 });
  });

  it('comes back at the same socket after it was killed; the capture is readable up to the last flush', async () => {
    const bench = new Workbench();
    const vm = bench.path('vm.sock');
    const file = bench.path('all.pcapng');
    const first = await serve(bench, '--listen', `unix:${vm}`, '--capture', file, ...SILENT);
    const machine = plugIn(vm);
    await waitFor(() => new PcapngReader().feed(readFileSync(file)).length === 1);
    await first.kill();
    machine.destroy();
    expect(new PcapngReader().feed(readFileSync(file))).toHaveLength(1);
    const second = await serve(bench, '--listen', `unix:${vm}`);
    plugIn(vm);
    await second.event('port-connected');
  });

  it('a second one takes another name, and both are found', async () => {
    const bench = new Workbench();
    await serve(bench);
    await serve(bench);
    expect((await status(bench, 'serve-2')).name).toBe('serve-2');
    const ambiguous = await Promise.all(['leases', 'nodes'].map((verb) => runVmlan(bench, [verb])));
    const told = 'vmlan: several labs are running; add NAME, one of serve, serve-2\n';
    expect(ambiguous.map(({ status: code, stderr }) => [code, stderr])).toEqual([
      [1, told],
      [1, told],
    ]);
  });

  it('reports all mistakes at once and exits with status 2', async () => {
    const bench = new Workbench();
    const child = await runVmlan(bench, [
      'serve',
      '--listen',
      'vm.sock',
      '--mtu',
      '10',
      '--user',
      'hostfwd=tcp::80,colour=red',
      '--connect',
      'tcp:1',
    ]);
    expect(child.status).toBe(2);
    const lines = child.stderr.trim().split('\n');
    expect(lines).toHaveLength(5);
    for (const word of ['vm.sock', '--mtu', 'hostfwd', 'colour', 'tcp:1']) expect(child.stderr).toContain(word);
  });

  it('counts hostile machines by name and lives on', async () => {
    const bench = new Workbench();
    const vm = bench.path('vm.sock');
    const child = await serve(bench, '--listen', `unix:${vm}`);
    const garbage = connect(vm);
    garbage.on('error', () => undefined);
    garbage.write('GET / HTTP/1.1\r\n\r\n');
    await child.event('port-left', ({ reason }) => reason === 'oversized-length');
    plugIn(vm, [new Uint8Array(13), frame(BROADCAST_MAC, BROADCAST_MAC), frame(0x0180c2000000, A)]);
    const readDrops = async () => {
      const { ports, networks } = await status(bench);
      return { port: ports.find(({ port }) => port === 'vm1')?.drops, network: networks[0]?.drops };
    };
    await expect
      .poll(readDrops, { timeout: 20_000 })
      .toEqual({ port: { runt: 1 }, network: { 'invalid-source': 1, 'oversized-length': 1, 'reserved-address': 1 } });
  });
});

describe('a reader that leaves', () => {
  it('of the log does not end the network', async () => {
    const bench = new Workbench();
    const vm = bench.path('vm.sock');
    const child = spawnVmlan(bench, ['serve', '--json', '--listen', `unix:${vm}`]);
    await child.until('ready', () => child.stdout.includes('"event":"ready"') || undefined);
    child.closeOutput();
    for (let i = 0; i < 3; i++) plugIn(vm);
    const connected = async () =>
      (await status(bench)).ports.filter(({ port, connected }) => connected && port.startsWith('vm'));
    await expect.poll(async () => (await connected()).length, { timeout: 20_000 }).toBe(3);
    expect((await child.stop()).status).toBe(0);
  });

  it('late finds all that was printed', async () => {
    const bench = new Workbench();
    const file = bench.path('bad.yaml');
    writeFileSync(
      file,
      `networks: { lan: {} }\nnodes:\n${Array.from({ length: 1500 }, (_, i) => `  n${i}: { nics: [nowhere] }\n`).join('')}`,
    );
    const child = await bench.run('sh', [
      '-c',
      '"$@" | (sleep 1; cat)',
      'sh',
      ...vmlanCommand,
      'check',
      '--json',
      file,
    ]);
    expect(JSON.parse(child.stdout).issues).toHaveLength(1500);
  });
});

it('two networks that start at once take two names', async () => {
  const bench = new Workbench();
  const [first, second] = await Promise.all([serve(bench), serve(bench)]);
  const names = await Promise.all([first, second].map(async (vmlan) => (await vmlan.event('ready'))['lab']));
  expect(names.sort()).toEqual(['serve', 'serve-2']);
});

describe('vmlan up', () => {
  const LAB =
    'name: pair\nnetworks: { lan: { subnet: 10.0.2.0/24 } }\nnodes:\n  a: { nics: [lan] }\n  b: { nics: [lan] }\n';

  it('runs a lab, refuses a second of the name, and says how to plug in', async () => {
    const bench = new Workbench();
    const file = bench.path('pair.yaml');
    writeFileSync(file, LAB);
    expect((await runVmlan(bench, ['check', file])).stdout).toContain('lab pair is well');
    const child = await startVmlan(bench, ['up', file]);
    const again = await runVmlan(bench, ['up', file]);
    expect([again.status, again.stderr]).toEqual([1, expect.stringContaining('a lab named pair is running')]);
    plugIn(bench.path('run/vmlan/pair/a.lan.sock'));
    await child.event('port-connected', ({ port }) => port === 'a:lan');
    const { ports } = await status(bench, 'pair');
    expect(ports.map(({ port, connected }) => `${port} ${connected}`)).toEqual([
      'a:lan true',
      'b:lan false',
      'lan:gateway true',
    ]);
    expect((await child.stop()).status).toBe(0);
  });

  it('exits with status 2 and every issue of a wrong file, each with its line', async () => {
    const bench = new Workbench();
    const file = bench.path('bad.yaml');
    writeFileSync(file, LAB.replace('10.0.2.0/24', '10.0.2.0/99').replace('b: { nics: [lan] }', 'b: { nics: [wan] }'));
    const child = await runVmlan(bench, ['up', file]);
    expect(child.status).toBe(2);
    expect(child.stderr.match(/bad\.yaml:\d+:\d+ /g)).toHaveLength(2);
  });
});

describe('vmlan capture', () => {
  it('writes a port live to standard output and completes a file at Ctrl-C', async () => {
    const bench = new Workbench();
    const vm = bench.path('vm.sock');
    const child = await serve(bench, '--listen', `unix:${vm}`);
    const machine = plugIn(vm);
    await child.event('port-connected', ({ port }) => port === 'vm1');
    const file = bench.path('vm1.pcapng');
    const capture = spawnVmlan(bench, ['capture', 'vm1', '-w', file]);
    await capture.until('recording', () => capture.stderr.includes('recording vm1') || undefined);
    await waitFor(() => readFileSync(file).length > 0);
    machine.write(Buffer.concat([Buffer.from([0, 0, 0, 60]), frame(BROADCAST_MAC, A)]));
    await waitFor(() => new PcapngReader().feed(readFileSync(file)).length === 1);
    expect((await capture.stop('SIGINT')).status).toBe(0);
    const reader = new PcapngReader();
    expect(reader.feed(readFileSync(file)).map(({ direction }) => direction)).toEqual(['from-guest']);
    expect(reader.interfaces).toMatchObject([{ name: 'vm1', heard: 1, lost: 0 }]);
  });

  it('ends with the lab', async () => {
    const bench = new Workbench();
    const child = await serve(bench);
    const file = bench.path('all.pcapng');
    const capture = spawnVmlan(bench, ['capture', 'all', '-w', file]);
    await waitFor(() => existsSync(file) && readFileSync(file).length > 0);
    await child.stop();
    expect((await capture.exited).status).toBe(0);
  });

  it('of a port that is not there is refused with what there is', async () => {
    const bench = new Workbench();
    await serve(bench);
    writeFileSync(bench.path('x.pcapng'), 'precious');
    const capture = await runVmlan(bench, ['capture', 'web:lan', '-w', bench.path('x.pcapng')]);
    expect(readFileSync(bench.path('x.pcapng'), 'utf8')).toBe('precious');
    expect(capture.status).toBe(2);
    expect(capture.stderr).toContain('it has lan:gateway, lan, all');
  });
});

describe('vmlan demo', () => {
  it('boots built-in machines, tells what the capture holds, and succeeds', async () => {
    const bench = new Workbench();
    const child = await runVmlan(bench, ['demo', '--built-in', '-w', bench.path('demo.pcapng')]);
    expect(child.status).toBe(0);
    expect(child.stdout).toMatch(/gateway: alice has 10\.0\.2\.1\d/);
    expect(child.stdout).toMatch(/bob has all \d+ octets of hello\.txt/);
    expect(child.stdout).toMatch(/gateway tells bob: files\.lab\.internal is at 10\.0\.2\.2 \(DNS\)/);
    expect(child.stdout).toMatch(/alice has all 40001 octets of \/page\.txt \(HTTP 200\)/);
    expect(child.stdout).toMatch(/gateway has all \d+ octets of \/ \(HTTP 200\)/);
    expect(new PcapngReader().feed(readFileSync(bench.path('demo.pcapng'))).length).toBeGreaterThan(30);
  });

  it('cleans up when it is interrupted', async () => {
    const bench = new Workbench();
    const child = spawnVmlan(bench, ['demo', '--built-in', '--break', 'dhcp', '-w', bench.path('demo.pcapng')]);
    await child.until('narration', () => child.stdout.includes('DHCPDISCOVER') || undefined);
    expect((await child.stop('SIGINT')).status).toBe(130);
    const reader = new PcapngReader();
    reader.feed(readFileSync(bench.path('demo.pcapng')));
    expect(reader.interfaces.every(({ heard }) => heard !== undefined)).toBe(true);
    expect(readdirSync(bench.folder).filter((name) => name.startsWith('vmlan-demo-'))).toEqual([]);
  });

  it.each([
    ['dhcp', /FAILED {2}alice got no lease/],
    ['tftp', /FAILED {2}bob did not get boot\.ipxe/],
    ['dns', /FAILED {2}alice did not find files\.lab\.internal/],
    ['http', /gateway refuses the connection of bob.*FAILED {2}bob did not get \/page\.txt/s],
  ])('fails without %s', async (part, message) => {
    const bench = new Workbench();
    const child = await runVmlan(bench, ['demo', '--built-in', '--break', part, '-w', bench.path('demo.pcapng')]);
    expect(child.status).toBe(1);
    expect(child.stdout).toMatch(message);
  });
});
