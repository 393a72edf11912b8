/** What the name of a capture's file says. */
import type { CapturePlan } from './plan.ts';

/** `.pcap` is the classic format; everything else is pcapng. */
export function captureFormat(file: string): CapturePlan['format'] {
  return /\.pcap$/i.test(file) ? 'pcap' : 'pcapng';
}
