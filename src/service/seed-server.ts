/** Serves cloud-init's NoCloud seeds: `http://GATEWAY:8775/NODE/meta-data` and its neighbours. Any machine of the network may read them. */
import type { Counters } from '../base/counters.ts';
import type { Stack } from '../stack/stack.ts';
import type { TcpListener } from '../stack/tcp-layer.ts';
import type { HttpAnswer, HttpDoor, OpenHttpDoor } from './http/http-door.ts';
import type { Service } from './service.ts';

/** Where nothing of the host is likely to be reached at the gateway's address. */
export const SEED_PORT = 8775;

/** Texts by their paths: `/web/user-data`. */
export type SeedDocuments = ReadonlyMap<string, string>;

export class SeedServer implements Service {
  readonly name = 'seeds';
  readonly #address: Uint8Array;
  readonly #documents: SeedDocuments;
  readonly #openHttp: OpenHttpDoor;
  readonly #counters: Counters;
  #door: HttpDoor | undefined;
  #listener: TcpListener | undefined;

  constructor(address: Uint8Array, documents: SeedDocuments, openHttp: OpenHttpDoor, counters: Counters) {
    this.#address = address;
    this.#documents = documents;
    this.#openHttp = openHttp;
    this.#counters = counters;
  }

  start(stack: Stack): void {
    const door = this.#openHttp({
      answer: (path) => this.#answer(path),
      refused: (reason) => this.#counters.add(reason),
    });
    this.#door = door;
    this.#listener = stack.tcp.listen(SEED_PORT, (request) => door.take(request), this.#address);
  }

  stop(): void {
    this.#listener?.close();
    this.#door?.close();
  }

  #answer(path: string): HttpAnswer {
    const text = this.#documents.get(path);
    if (text !== undefined) return { status: 200, type: 'text/plain; charset=utf-8', text };
    this.#counters.add('seed-not-found');
    return { status: 404, type: 'text/plain; charset=utf-8', text: 'there is no such seed\n' };
  }
}
