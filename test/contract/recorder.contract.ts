import { describe, expect, it } from 'vitest';
import type { CaptureFormat } from '../../src/capture/recorder.ts';
import { packetsOf } from '../support/captures.ts';
import { A, B, C, frame } from '../support/frames.ts';
import { settle } from '../support/manual-scheduler.ts';
import { jackWithMachine, startRecording } from '../support/recording.ts';

/** What a recorder does whatever the format of its file. */
export function recorderContract(format: CaptureFormat): void {
  describe(`a ${format} recorder`, () => {
    it('leaves a valid file when nothing was heard', async () => {
      const { sink, recorder } = await startRecording(format);
      expect(packetsOf(format, sink.bytes)).toEqual([]);
      await recorder.stop();
      expect(packetsOf(format, sink.bytes)).toEqual([]);
    });

    it('records frames whole, in order, at the time they were heard', async () => {
      const { scheduler, sink, recorder } = await startRecording(format);
      const vm = jackWithMachine('vm1');
      recorder.listen(vm.jack, 'both');
      const frames = [14, 60, 61, 62, 63, 191, 192, 1514, 65_000].map((length, i) => frame(B, A, length, i + 1));

      vm.fromGuest(...frames);
      scheduler.advance(1.5);
      vm.toGuest(frame(A, B));
      await recorder.stop();

      const packets = packetsOf(format, sink.bytes);
      expect(packets.map(({ bytes }) => bytes)).toEqual([...frames, frame(A, B)]);
      expect(packets.map(({ originalLength }) => originalLength)).toEqual([...frames.map(({ length }) => length), 60]);
      expect(packets[0]!.nanoseconds).toBe(1_767_225_600_000_000_000n);
      expect(packets.at(-1)!.nanoseconds).toBe(1_767_225_600_001_500_000n);
    });

    it('records each frame of a LAN once when it listens to what guests send', async () => {
      const { sink, recorder } = await startRecording(format);
      const [one, two] = [jackWithMachine('vm1'), jackWithMachine('vm2')];
      recorder.listen(one.jack, 'from-guest');
      recorder.listen(two.jack, 'from-guest');

      one.fromGuest(frame(B, A));
      two.toGuest(frame(B, A));
      await recorder.stop();

      expect(packetsOf(format, sink.bytes)).toHaveLength(1);
    });

    it('has a frame in the sink 200 ms after it was heard, and no timer while nothing waits', async () => {
      const { scheduler, sink, recorder } = await startRecording(format);
      const vm = jackWithMachine('vm1');
      recorder.listen(vm.jack, 'both');
      expect(scheduler.pending).toBe(0);

      vm.fromGuest(frame(B, A));
      scheduler.advance(100);
      vm.fromGuest(frame(B, A));
      await scheduler.run(99);
      expect(packetsOf(format, sink.bytes)).toHaveLength(0);
      await scheduler.run(1);
      expect(packetsOf(format, sink.bytes)).toHaveLength(2);
      expect(scheduler.pending).toBe(0);

      vm.fromGuest(frame(B, A));
      await scheduler.run(200);
      expect(packetsOf(format, sink.bytes)).toHaveLength(3);
      await recorder.stop();
    });

    it('passes on what came due while the sink was busy as soon as it is free', async () => {
      const { scheduler, sink, recorder } = await startRecording(format);
      const vm = jackWithMachine('vm1');
      recorder.listen(vm.jack, 'both');
      sink.stall();
      vm.fromGuest(frame(B, A));
      await scheduler.run(200);
      vm.fromGuest(frame(B, A));
      await scheduler.run(200);
      expect(packetsOf(format, sink.bytes)).toHaveLength(0);

      sink.release();
      await settle();
      expect(packetsOf(format, sink.bytes)).toHaveLength(2);
      await recorder.stop();
    });

    it('hands over whole packets only', async () => {
      const { scheduler, sink, recorder } = await startRecording(format);
      const vm = jackWithMachine('vm1');
      recorder.listen(vm.jack, 'both');
      for (let i = 0; i < 50; i++) {
        vm.fromGuest(...Array.from({ length: 100 }, () => frame(B, A, 1500 + i)));
        await scheduler.run(5);
      }
      await recorder.stop();

      expect(sink.writes.length).toBeGreaterThan(5);
      for (let i = 1; i <= sink.writes.length; i++) {
        const cut = new Uint8Array(Buffer.concat(sink.writes.slice(0, i)));
        expect(() => packetsOf(format, cut)).not.toThrow();
      }
      expect(packetsOf(format, sink.bytes)).toHaveLength(5000);
    });

    it('keeps the first octets of a frame and its length when a snap length is set', async () => {
      const { sink, recorder } = await startRecording(format, { snapLength: 33 });
      const vm = jackWithMachine('vm1');
      recorder.listen(vm.jack, 'both');
      vm.fromGuest(frame(B, A, 1514, 7), frame(B, A, 20));
      await recorder.stop();

      const [long, short] = packetsOf(format, sink.bytes);
      expect(long).toMatchObject({ originalLength: 1514, bytes: frame(B, A, 33, 7) });
      expect(short).toMatchObject({ originalLength: 20, bytes: frame(B, A, 20) });
      expect(recorder.statistics).toEqual({ frames: 2, octets: 1534, lost: 0 });
    });

    it('loses and counts frames while the sink stands still, holding a bounded amount, and goes on afterwards', async () => {
      const { scheduler, sink, recorder } = await startRecording(format);
      const vm = jackWithMachine('vm1');
      recorder.listen(vm.jack, 'both');
      sink.stall();
      const chunk = Array.from({ length: 60 }, () => frame(B, A, 1514));
      for (let i = 0; i < 600; i++) {
        vm.fromGuest(...chunk);
        scheduler.advance(1);
      }
      const { frames, lost } = recorder.statistics;
      expect(frames + lost).toBe(36_000);
      expect(frames * 1514).toBeLessThan(16 * 1024 * 1024);

      sink.release();
      await settle();
      vm.fromGuest(frame(B, A, 99));
      await recorder.stop();
      const packets = packetsOf(format, sink.bytes);
      expect(packets).toHaveLength(frames + 1);
      expect(packets.at(-1)!.originalLength).toBe(99);
      expect(recorder.statistics.lost).toBe(lost);
    });

    it('ends before the file is longer than it may be', async () => {
      const { sink, recorder } = await startRecording(format, { maxOctets: 2000 });
      const vm = jackWithMachine('vm1');
      recorder.listen(vm.jack, 'both');
      vm.fromGuest(...Array.from({ length: 100 }, () => frame(B, A, 100)));

      expect(await recorder.ended).toEqual({ reason: 'size' });
      expect(sink.bytes.length).toBeLessThanOrEqual(2000);
      expect(sink.bytes.length).toBeGreaterThan(2000 - 200);
      expect(packetsOf(format, sink.bytes)).toHaveLength(recorder.statistics.frames);
      expect(recorder.statistics.lost).toBe(0);
      expect(sink.isClosed).toBe(true);
    });

    it('ends after its time, heard or not', async () => {
      const { scheduler, sink, recorder } = await startRecording(format, { maxDuration: 1000 });
      const vm = jackWithMachine('vm1');
      recorder.listen(vm.jack, 'both');
      scheduler.advance(999);
      vm.fromGuest(frame(B, A));
      scheduler.advance(1);
      vm.fromGuest(frame(B, A));

      expect(await recorder.ended).toEqual({ reason: 'duration' });
      expect(packetsOf(format, sink.bytes)).toHaveLength(1);
      expect(scheduler.pending).toBe(0);
    });

    it('does not wait for its time once it is stopped', async () => {
      const { scheduler, recorder } = await startRecording(format, { maxDuration: 1000 });
      await recorder.stop();
      expect(scheduler.pending).toBe(0);
    });

    it('ends with the reason when a write fails, and the network goes on', async () => {
      const { scheduler, sink, recorder } = await startRecording(format);
      const vm = jackWithMachine('vm1');
      recorder.listen(vm.jack, 'both');
      sink.failure = new Error('no space left on device');
      vm.fromGuest(frame(B, A));
      await scheduler.run(200);

      expect(await recorder.ended).toEqual({ reason: 'write-error', error: sink.failure });
      expect(sink.isClosed).toBe(true);
      expect(scheduler.pending).toBe(0);
      vm.fromGuest(frame(B, A));
      await recorder.stop();
    });

    it('ends with the reason when the sink does not close', async () => {
      const { sink, recorder } = await startRecording(format);
      sink.failsToClose = true;
      await recorder.stop();
      expect(await recorder.ended).toMatchObject({ reason: 'write-error' });
    });

    it('completes everything when stopped, however often and however slow the sink', async () => {
      const { scheduler, sink, recorder } = await startRecording(format);
      const vm = jackWithMachine('vm1');
      recorder.listen(vm.jack, 'both');
      sink.stall();
      vm.fromGuest(frame(B, A));
      await scheduler.run(200);
      vm.fromGuest(frame(C, A));

      const stops = [recorder.stop(), recorder.stop()];
      vm.fromGuest(frame(B, A));
      await settle();
      expect(sink.isClosed).toBe(false);
      sink.release();
      await Promise.all(stops);
      await recorder.stop();

      expect(await recorder.ended).toEqual({ reason: 'stopped' });
      expect(packetsOf(format, sink.bytes).map(({ bytes }) => bytes)).toEqual([frame(B, A), frame(C, A)]);
      expect(sink.isClosed).toBe(true);
      expect(scheduler.pending).toBe(0);
    });

    it('hears a jack no more once it is silenced', async () => {
      const { sink, recorder } = await startRecording(format);
      const vm = jackWithMachine('vm1');
      recorder.listen(vm.jack, 'both');
      recorder.listen(vm.jack, 'both');
      vm.fromGuest(frame(B, A));
      recorder.silence(vm.jack);
      vm.fromGuest(frame(B, A));
      await recorder.stop();
      expect(packetsOf(format, sink.bytes)).toHaveLength(1);
    });
  });
}
