import type { CaptureFormat, RecorderOptions } from '../../src/capture/recorder.ts';
import { Recorder } from '../../src/capture/recorder.ts';
import { batchOf } from '../../src/link/frame-batch.ts';
import { Jack } from '../../src/link/jack.ts';
import type { Mac } from '../../src/wire/mac.ts';
import { FakePort } from './fake-port.ts';
import { ManualScheduler, settle } from './manual-scheduler.ts';
import { MemorySink } from './memory-sink.ts';

/** A recorder in memory, its header written. */
export async function startRecording(format: CaptureFormat = 'pcapng', options: RecorderOptions = {}) {
  const scheduler = new ManualScheduler();
  const sink = new MemorySink();
  const recorder = new Recorder(format, sink, scheduler, scheduler, options);
  await settle();
  return { scheduler, sink, recorder };
}

/** A jack with a machine behind it. */
export function jackWithMachine(name: string, mac?: Mac) {
  const machine = new FakePort(name);
  const jack = new Jack(name, mac);
  jack.connect(machine);
  return {
    jack,
    fromGuest: (...frames: readonly Uint8Array[]) => machine.inject(...frames),
    toGuest: (...frames: readonly Uint8Array[]) => jack.push(batchOf(frames), 0, frames.length),
  };
}
