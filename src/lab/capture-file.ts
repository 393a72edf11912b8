/** What the name of a capture's file says. */
import type { CapturePlan } from './plan.ts';

/** `.pcap` is the classic format; everything else is pcapng. */
export function captureFormat(file: string): CapturePlan['format'] {
  return /\.pcap$/i.test(file) ? 'pcap' : 'pcapng';
}

/** Whether two names, as written, are one file: `./a.pcapng` and `a.pcapng` are. */
export function samePath(a: string, b: string): boolean {
  return plainPath(a) === plainPath(b);
}

function plainPath(path: string): string {
  const steps: string[] = [];
  for (const step of path.split('/')) {
    const isUp = step === '..' && steps.length > 0 && steps.at(-1) !== '..';
    if (isUp) steps.pop();
    else if (step !== '.' && step !== '') steps.push(step);
  }
  return (path.startsWith('/') ? '/' : '') + steps.join('/');
}
