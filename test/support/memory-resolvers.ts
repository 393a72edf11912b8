import type { Endpoint } from '../../src/base/endpoint.ts';
import type { HostResolvers } from '../../src/base/resolvers.ts';

/** Name servers as the test says; it may change them at any time. */
export class MemoryResolvers implements HostResolvers {
  list: readonly Endpoint[] = [{ address: new Uint8Array([192, 0, 2, 53]), port: 53 }];

  servers(): readonly Endpoint[] {
    return this.list;
  }
}
