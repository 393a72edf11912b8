/**
 * Times, shares and rates as tc(8) writes them. Every parser answers undefined where the text is something else; what it understands
 * the formatter of its kind writes again.
 */
import type { Millis } from '../base/time.ts';
import type { ImpairmentSpec } from '../link/impairment.ts';

const NUMBER = '(\\d{1,12}(?:\\.\\d{1,9})?)';

const MILLIS: Readonly<Record<string, number>> = { s: 1000, ms: 1, us: 0.001 };
/** tc keeps times in 32 bits of microseconds. */
const LONGEST: Millis = 4_294_967;

/** `20ms`, `1.5s`, `250us`, or `0`; `sec`, `msecs` and their like, too. */
export function parseTime(text: string): Millis | undefined {
  if (text === '0') return 0;
  const match = new RegExp(`^${NUMBER}([mu]?s)(?:ecs?)?$`, 'i').exec(text);
  if (match === null) return undefined;
  const millis = Number(match[1]) * MILLIS[match[2]!.toLowerCase()]!;
  return millis <= LONGEST ? millis : undefined;
}

export function formatTime(millis: Millis): string {
  if (millis >= 1000) return `${rounded(millis / 1000)}s`;
  return millis >= 1 || millis === 0 ? `${rounded(millis)}ms` : `${rounded(millis * 1000)}us`;
}

/** `1%` as 0.01. */
export function parseShare(text: string): number | undefined {
  if (text === '0') return 0;
  const match = new RegExp(`^${NUMBER}%$`).exec(text);
  const share = Number(match?.[1]) / 100;
  return share <= 1 ? share : undefined;
}

export function formatShare(share: number): string {
  return `${rounded(share * 100)}%`;
}

const PREFIXES: Readonly<Record<string, number>> = {
  '': 1,
  k: 1e3,
  m: 1e6,
  g: 1e9,
  t: 1e12,
  ki: 2 ** 10,
  mi: 2 ** 20,
  gi: 2 ** 30,
  ti: 2 ** 40,
};

/** `10mbit` as bits per second; `bps` is octets per second, as tc has it; `0` is no limit. */
export function parseRate(text: string): number | undefined {
  if (text === '0') return 0;
  const match = new RegExp(`^${NUMBER}([kmgt]i?)?(bit|bps)$`, 'i').exec(text);
  if (match === null) return undefined;
  const [, number, prefix = '', unit] = match;
  return Number(number) * PREFIXES[prefix.toLowerCase()]! * (unit!.toLowerCase() === 'bps' ? 8 : 1);
}

/** In bits, by the largest unit of which there is one. */
export function formatRate(bits: number): string {
  const prefix = (['t', 'g', 'm', 'k'] as const).find((each) => bits >= PREFIXES[each]!) ?? '';
  return `${rounded(bits / PREFIXES[prefix]!)}${prefix}bit`;
}

/** An impairment in words: what it does not do is absent. */
export function impairmentWords({ delay, jitter, loss, rate, limit }: ImpairmentSpec): ImpairmentWords {
  return {
    ...(delay !== undefined && { delay: formatTime(delay) }),
    ...(jitter !== undefined && { jitter: formatTime(jitter) }),
    ...(loss !== undefined && { loss: formatShare(loss) }),
    ...(rate !== undefined && { rate: formatRate(rate) }),
    ...(limit !== undefined && { limit }),
  };
}

export interface ImpairmentWords {
  readonly delay?: string;
  readonly jitter?: string;
  readonly loss?: string;
  readonly rate?: string;
  readonly limit?: number;
}

/** Without the noise of binary fractions. */
function rounded(value: number): number {
  return Number(value.toPrecision(12));
}
