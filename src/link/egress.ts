import type { Mac } from '../wire/mac.ts';

/** What a station may know of the queues towards the others on its LAN, so that it holds back what would be dropped there. */
export interface Egress {
  /** Octets that wait for the station with this address; 0 where nobody knows. */
  queuedTowards(mac: Mac): number;
}
