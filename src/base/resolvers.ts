/** The name servers that the host itself asks. */
import type { Endpoint } from './endpoint.ts';

export interface HostResolvers {
  /** In the host's order; follows changes of the host's configuration. */
  servers(): readonly Endpoint[];
}
