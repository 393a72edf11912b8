import { expect, it } from 'vitest';
import { ratesTable } from '../../src/cli/watch.ts';
import type { LabStatus, PortStatus } from '../../src/lab/status-schemas.ts';

function lab(...ports: readonly PortStatus[]): LabStatus {
  return { name: 'office', networks: [], routers: [], ports, captures: [], forwards: [] };
}

function port(name: string, octets: number, drops: PortStatus['drops'] = {}): PortStatus {
  const fromGuest = { frames: octets / 1000, octets };
  const toGuest = { frames: 0, octets: 0 };
  return { port: name, network: 'lan', connected: true, linkUp: true, fromGuest, toGuest, queued: 7, drops };
}

it('a live table has what passed each port a second, also of ports that are new or began again', () => {
  const before = lab(port('a', 5000, { runt: 1 }), port('again', 9_000_000));
  const now = lab(port('a', 3_005_000, { runt: 2, 'egress-full': 4 }), port('again', 0), port('new', 250));
  expect(
    ratesTable(before, now, 2)
      .split('\n')
      .map((line) => line.split(/ {2,}/)),
  ).toEqual([
    ['PORT', 'STATE', 'FRAMES IN/s', 'BIT IN/s', 'FRAMES OUT/s', 'BIT OUT/s', 'QUEUED', 'DROPS/s'],
    ['a', 'connected', '1500', '12.0M', '0', '0', '7', '3'],
    ['again', 'connected', '0', '0', '0', '0', '7', '0'],
    ['new', 'connected', '0', '1.0k', '0', '0', '7', '0'],
  ]);
});
