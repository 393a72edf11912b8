import { bundle } from '../../scripts/bundle.ts';

/** Before all tests: the program that they start, of the sources as they are. */
export async function setup(): Promise<void> {
  await bundle();
}
