import { describe, expect, it } from 'vitest';
import { recorderContract } from '../contract/recorder.contract.ts';
import { readPcapng } from '../support/captures.ts';
import { A, B, C, frame } from '../support/frames.ts';
import { settle } from '../support/manual-scheduler.ts';
import { jackWithMachine, startRecording } from '../support/recording.ts';

recorderContract('pcap');
recorderContract('pcapng');

it('leaves other recordings of the same port alone when it ends', async () => {
  const [short, long] = [await startRecording('pcapng', { maxOctets: 500 }), await startRecording()];
  const vm = jackWithMachine('vm1');
  short.recorder.listen(vm.jack, 'both');
  long.recorder.listen(vm.jack, 'both');
  vm.fromGuest(...Array.from({ length: 10 }, () => frame(B, A, 100)));

  expect(await short.recorder.ended).toEqual({ reason: 'size' });
  expect(long.recorder.statistics.frames).toBe(10);
  await long.recorder.stop();
});

describe('interfaces in a pcapng recording', () => {
  it('appear in the order in which jacks first show a frame, with their configured address', async () => {
    const { sink, recorder } = await startRecording();
    const [one, two, silent] = [
      jackWithMachine('web:lan', A),
      jackWithMachine('db:lan', B),
      jackWithMachine('idle:lan', C),
    ];
    for (const { jack } of [one, two, silent]) recorder.listen(jack, 'from-guest', 'network lan');
    two.fromGuest(frame(A, B));
    one.fromGuest(frame(B, A));
    await recorder.stop();

    const { packets, interfaces } = readPcapng(sink.bytes);
    expect(packets.map(({ interfaceName }) => interfaceName)).toEqual(['db:lan', 'web:lan']);
    expect(interfaces).toMatchObject([
      { name: 'db:lan', description: 'network lan', mac: B, linkType: 1 },
      { name: 'web:lan', description: 'network lan', mac: A, linkType: 1 },
    ]);
  });

  it('take the address of the guest that speaks first where none was configured', async () => {
    const { sink, recorder } = await startRecording();
    const [speaker, listener, liar] = [jackWithMachine('vm1'), jackWithMachine('vm2'), jackWithMachine('vm3')];
    for (const { jack } of [speaker, listener, liar]) recorder.listen(jack, 'both');
    speaker.fromGuest(frame(B, A));
    listener.toGuest(frame(B, A));
    listener.fromGuest(frame(A, B));
    liar.fromGuest(frame(A, 0x0100_0000_0001));
    await recorder.stop();

    const { interfaces } = readPcapng(sink.bytes);
    expect(interfaces.map(({ mac }) => mac)).toEqual([A, undefined, undefined]);
  });

  it('stay the same when a port of the same name comes back', async () => {
    const { sink, recorder } = await startRecording();
    const [before, after] = [jackWithMachine('vm1'), jackWithMachine('vm1')];
    recorder.listen(before.jack, 'both');
    before.fromGuest(frame(B, A));
    recorder.silence(before.jack);
    recorder.listen(after.jack, 'both');
    after.fromGuest(frame(B, A));
    await recorder.stop();

    expect(readPcapng(sink.bytes).interfaces).toHaveLength(1);
    expect(readPcapng(sink.bytes).packets).toHaveLength(2);
  });

  it('say which way each packet went', async () => {
    const { sink, recorder } = await startRecording();
    const vm = jackWithMachine('vm1');
    recorder.listen(vm.jack, 'both');
    vm.fromGuest(frame(B, A));
    vm.toGuest(frame(A, B));
    await recorder.stop();
    expect(readPcapng(sink.bytes).packets.map(({ direction }) => direction)).toEqual(['from-guest', 'to-guest']);
  });
});

describe('losses in a pcapng recording', () => {
  it('are told by the next packet of the same interface and by the statistics', async () => {
    const { sink, recorder } = await startRecording();
    const [busy, calm] = [jackWithMachine('busy'), jackWithMachine('calm')];
    recorder.listen(busy.jack, 'both');
    recorder.listen(calm.jack, 'both');
    calm.fromGuest(frame(A, B));
    sink.stall();
    const chunk = Array.from({ length: 100 }, () => frame(B, A, 1514));
    while (recorder.statistics.lost === 0) busy.fromGuest(...chunk);
    const { lost } = recorder.statistics;
    sink.release();
    await settle();
    calm.fromGuest(frame(A, B, 98));
    busy.fromGuest(frame(B, A, 98), frame(B, A, 99));
    await recorder.stop();

    const { packets, interfaces } = readPcapng(sink.bytes);
    expect(packets.slice(-3).map(({ interfaceName, lostBefore }) => [interfaceName, lostBefore])).toEqual([
      ['calm', 0],
      ['busy', lost],
      ['busy', 0],
    ]);
    expect(packets.slice(0, -3).every(({ lostBefore }) => lostBefore === 0)).toBe(true);
    expect(interfaces).toMatchObject([
      { name: 'calm', heard: 2, lost: 0 },
      { name: 'busy', heard: recorder.statistics.frames - 2 + lost, lost },
    ]);
  });

  it('are told for an interface of which no frame was recorded', async () => {
    const { sink, recorder } = await startRecording();
    const [busy, unlucky] = [jackWithMachine('busy'), jackWithMachine('unlucky')];
    recorder.listen(busy.jack, 'both');
    recorder.listen(unlucky.jack, 'both');
    sink.stall();
    const chunk = Array.from({ length: 100 }, () => frame(B, A, 60));
    while (recorder.statistics.lost === 0) busy.fromGuest(...chunk);
    unlucky.fromGuest(frame(A, C, 1514));
    const stopped = recorder.stop();
    sink.release();
    await stopped;

    const { interfaces } = readPcapng(sink.bytes);
    expect(interfaces.at(-1)).toMatchObject({ name: 'unlucky', mac: C, heard: 1, lost: 1 });
  });
});
