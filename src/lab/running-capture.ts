import type { Recorder, RecordingEnd } from '../capture/recorder.ts';
import type { CaptureTarget } from './plan.ts';
import type { CaptureStatus } from './status-schemas.ts';

/** A capture that is being written. */
export class RunningCapture {
  /** Names it as long as it runs. */
  readonly id: string;
  readonly recorder: Recorder;
  readonly of: CaptureTarget;
  /** What people call it: the file's name. */
  readonly label: string;

  constructor(id: string, recorder: Recorder, of: CaptureTarget, label: string) {
    this.id = id;
    this.recorder = recorder;
    this.of = of;
    this.label = label;
  }

  status(): CaptureStatus {
    return { id: this.id, capture: this.label, of: this.of, ...this.recorder.statistics };
  }

  stop(): Promise<void> {
    return this.recorder.stop();
  }
}

/** How a capture ended, for people. */
export function endText(end: RecordingEnd): string {
  if (end.reason === 'stopped') return 'is complete';
  if (end.reason !== 'write-error') return `reached its ${end.reason} and is complete`;
  return `could not be written (${end.error instanceof Error ? end.error.message : String(end.error)})`;
}
