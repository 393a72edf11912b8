/** What a link does to one direction, put together of what was said in several places. */
import type { ImpairmentSpec } from '../link/impairment.ts';
import type { Fault } from './check-addresses.ts';
import type { ImpairmentEntry } from './schema-link.ts';

/** Later words go before earlier ones. What is 0 does nothing and is left out. */
export function mergeImpairments(...said: readonly (ImpairmentEntry | ImpairmentSpec)[]): ImpairmentSpec {
  const { delay = 0, jitter = 0, loss = 0, rate = 0, limit } = Object.assign({}, ...said) as ImpairmentSpec;
  return {
    ...(delay > 0 && { delay }),
    ...(jitter > 0 && { jitter }),
    ...(loss > 0 && { loss }),
    ...(rate > 0 && { rate }),
    ...(limit !== undefined && { limit }),
  };
}

/** Why the words do not go together: jitter is the one that can be too much. */
export function impairmentFault({ delay, jitter }: ImpairmentSpec): Fault | undefined {
  if (jitter === undefined || delay !== undefined) return undefined;
  return {
    code: 'no-delay',
    message: 'jitter moves a delay, and there is none',
    hint: 'add delay, or leave jitter out',
  };
}
