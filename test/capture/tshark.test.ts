import { execFile, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ByteSink } from '../../src/base/files.ts';
import type { CaptureFormat, RecorderOptions } from '../../src/capture/recorder.ts';
import { Recorder } from '../../src/capture/recorder.ts';
import { openFileSink } from '../../src/host/file-sink.ts';
import { describeWith } from '../support/describe-with.ts';
import { A, B, frame } from '../support/frames.ts';
import { ManualScheduler, settle } from '../support/manual-scheduler.ts';
import { MemorySink } from '../support/memory-sink.ts';
import { jackWithMachine } from '../support/recording.ts';

const run = promisify(execFile);

describeWith(['tshark', 'capinfos'], 'captures in tshark and capinfos', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'vmlan-tshark-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  /** Two ports, three frames: out of `web:lan`, into it 1.5 ms later, out of `vm1`; the last one of 1514 octets. */
  async function record(format: CaptureFormat, path: string, options: RecorderOptions = {}): Promise<void> {
    const scheduler = new ManualScheduler();
    const recorder = new Recorder(format, await openFileSink(path), scheduler, scheduler, options);
    const [web, unnamed] = [jackWithMachine('web:lan', A), jackWithMachine('vm1')];
    recorder.listen(web.jack, 'both', 'network lan');
    recorder.listen(unnamed.jack, 'both');
    web.fromGuest(frame(B, A, 60));
    scheduler.advance(1.5);
    web.toGuest(frame(A, B, 61));
    unnamed.fromGuest(frame(A, B, 1514));
    await recorder.stop();
  }

  /** One line per packet, fields separated by blanks; fails on any complaint. */
  async function fieldsOf(path: string, ...fields: readonly string[]): Promise<readonly string[]> {
    const words = fields.flatMap((field) => ['-e', field]);
    const { stdout, stderr } = await run('tshark', ['-r', path, '-T', 'fields', '-E', 'separator=/s', ...words]);
    expect(complaints(stderr)).toEqual([]);
    return stdout.trim().split('\n');
  }

  async function capinfos(path: string): Promise<string> {
    const { stdout, stderr } = await run('capinfos', [path]);
    expect(complaints(stderr)).toEqual([]);
    return stdout;
  }

  it('show names, directions, times and lengths of a pcapng file', async () => {
    const path = join(folder, 'a.pcapng');
    await record('pcapng', path);
    const fields = [
      'frame.interface_name',
      'frame.packet_flags_direction',
      'frame.time_epoch',
      'frame.len',
      'frame.cap_len',
    ];
    expect(await fieldsOf(path, ...fields)).toEqual([
      'web:lan 0x00000001 1767225600.000000000 60 60',
      'web:lan 0x00000002 1767225600.001500000 61 61',
      'vm1 0x00000001 1767225600.001500000 1514 1514',
    ]);
    expect(await fieldsOf(path, 'frame.interface_description')).toEqual(['network lan', 'network lan']);
  });

  it('show what a pcapng file says about itself', async () => {
    const path = join(folder, 'b.pcapng');
    await record('pcapng', path);
    const info = await capinfos(path);
    expect(info).toMatch(/Capture application: +vmlan/);
    expect(info).toMatch(/File encapsulation: +Ethernet/);
    expect(info).toMatch(/timestamp precision: +nanoseconds/);
    expect(info).toMatch(/Number of interfaces in file: +2/);
    expect(info).toMatch(/Name = web:lan/);
    expect(info).toMatch(/Description = network lan/);
    expect(info).toMatch(/Number of stat entries = 1/);
    expect(info).toMatch(/Number of packets = 2/);
  });

  it('show times and cut lengths of a pcap file', async () => {
    const path = join(folder, 'c.pcap');
    await record('pcap', path, { snapLength: 100 });
    expect(await fieldsOf(path, 'frame.time_epoch', 'frame.len', 'frame.cap_len')).toEqual([
      '1767225600.000000000 60 60',
      '1767225600.001500000 61 61',
      '1767225600.001500000 1514 100',
    ]);
    expect(await capinfos(path)).toMatch(/File type: .*nanosecond pcap/);
  });

  it.each(['pcap', 'pcapng'] as const)('read a %s file that ends after any write', async (format) => {
    const scheduler = new ManualScheduler();
    const sink = new MemorySink();
    const recorder = new Recorder(format, sink, scheduler, scheduler);
    const vm = jackWithMachine('vm1');
    recorder.listen(vm.jack, 'both');
    await settle();
    for (let i = 0; i < 3; i++) {
      vm.fromGuest(frame(B, A, 61), frame(B, A, 1000 + i));
      await scheduler.run(200);
    }
    expect(sink.writes).toHaveLength(4);
    for (let i = 1; i <= 4; i++) {
      const path = join(folder, `cut-${i}.${format}`);
      await writeFile(path, Buffer.concat(sink.writes.slice(0, i)));
      expect(await capinfos(path)).toMatch(new RegExp(`Number of packets: +${2 * (i - 1)}\\n`));
    }
    await recorder.stop();
  });

  it('follow a capture while it is made', async () => {
    const scheduler = new ManualScheduler();
    const words = ['-l', '-i', '-', '-c', '2', '-T', 'fields', '-e', 'frame.interface_name', '-e', 'frame.len'];
    const tshark = spawn('tshark', words, { stdio: ['pipe', 'pipe', 'ignore'] });
    const lines: string[] = [];
    let onLine: () => void = () => undefined;
    tshark.stdout.setEncoding('utf8').on('data', (text: string) => {
      lines.push(...text.trim().split('\n'));
      onLine();
    });
    const recorder = new Recorder('pcapng', sinkOf(tshark.stdin), scheduler, scheduler);
    const vm = jackWithMachine('vm1');
    recorder.listen(vm.jack, 'both');

    vm.fromGuest(frame(B, A, 60));
    scheduler.advance(200);
    await new Promise<void>((resolve) => {
      onLine = resolve;
      if (lines.length > 0) resolve();
    });
    expect(lines[0]).toMatch(/\t60$/);

    const exited = new Promise((resolve) => tshark.once('exit', resolve));
    vm.fromGuest(frame(B, A, 61));
    await settle();
    scheduler.advance(200);
    expect(await exited).toBe(0);
    await recorder.stop();
    expect(lines[1]).toMatch(/\t61$/);
  });

  it('agree with our reader about the file', async () => {
    const path = join(folder, 'd.pcapng');
    await record('pcapng', path);
    const { readPcapng } = await import('../support/captures.ts');
    const packets = readPcapng(await readFile(path)).packets;
    const seconds = packets.map(
      ({ nanoseconds }) => `${nanoseconds / 1_000_000_000n}.${String(nanoseconds % 1_000_000_000n).padStart(9, '0')}`,
    );
    expect(await fieldsOf(path, 'frame.time_epoch')).toEqual(seconds);
  });
});

/** What a program says besides that it runs as root. */
function complaints(stderr: string): readonly string[] {
  return stderr.split('\n').filter((line) => line !== '' && !line.includes('This could be dangerous'));
}

function sinkOf(stream: Writable): ByteSink {
  return {
    write: (bytes) => new Promise((resolve) => stream.write(bytes, () => resolve())),
    close: async () => void stream.end(),
  };
}
