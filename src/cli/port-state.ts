import type { PortStatus } from '../lab/status-schemas.ts';

/** A port's state in tables. */
export function portState({ connected, linkUp }: PortStatus): string {
  if (!linkUp) return 'link down';
  return connected ? 'connected' : 'waiting';
}
