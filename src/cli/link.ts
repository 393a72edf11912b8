/** `vmlan link`: what the links of a running lab do to frames. */
import { json } from 'node:stream/consumers';
import { formatIssue } from '../base/issue.ts';
import { nearestWord } from '../base/spelling.ts';
import { ControlError, callControl, getControl } from '../control/client.ts';
import type { LinkRequest, LinksAnswer } from '../control/links.ts';
import type { LinkStatus } from '../lab/status-schemas.ts';
import { EXIT_FAILURE, EXIT_USAGE, fail } from './exit.ts';
import { findLab } from './find-lab.ts';
import { print, table } from './report.ts';

export interface LinkCommand {
  readonly lab?: string;
  readonly json?: true;
}

const LINKS = '/v1/links';
const pathOf = (port: string) => `${LINKS}/${encodeURIComponent(port)}`;

export async function showLinks(port: string | undefined, options: LinkCommand): Promise<void> {
  const lab = await findLab(options.lab, '--lab NAME');
  if (port === undefined) {
    const answer = await getControl<LinksAnswer>(lab, LINKS);
    if (options.json) print(JSON.stringify(answer, undefined, 2));
    else printLinks(answer.links);
  } else {
    const link = await getControl<LinkStatus>(lab, pathOf(port)).catch(refused);
    if (options.json) print(JSON.stringify(link, undefined, 2));
    else printLinks([link]);
  }
}

/** `delay=20ms loss=1%`, with `from-guest` or `to-guest` for that direction only. */
export async function setLink(port: string, settings: readonly string[], options: LinkCommand): Promise<void> {
  const asked = requestOf(settings);
  await change('PATCH', port, options, asked);
}

export async function changeLink(verb: 'reset' | 'up' | 'down', port: string, options: LinkCommand): Promise<void> {
  if (verb === 'reset') await change('DELETE', port, options);
  else await change('PATCH', port, options, { up: verb === 'up' });
}

async function change(method: string, port: string, options: LinkCommand, asked?: LinkRequest): Promise<void> {
  const lab = await findLab(options.lab, '--lab NAME');
  const link = (await json(await callControl(lab, method, pathOf(port), asked).catch(refused))) as LinkStatus;
  if (options.json) print(JSON.stringify(link, undefined, 2));
  else printLinks([link]);
}

const WORDS = ['delay', 'jitter', 'loss', 'rate', 'limit'];
const DIRECTIONS = ['from-guest', 'to-guest'];

function requestOf(settings: readonly string[]): LinkRequest {
  const directions = settings.filter((word) => DIRECTIONS.includes(word));
  const said = settings.filter((word) => !DIRECTIONS.includes(word)).map(settingOf);
  if (said.length === 0) fail('link set: nothing is said; write what changes, as delay=20ms loss=1%', EXIT_USAGE);
  const impairment = Object.fromEntries(said);
  const isBoth = directions.length === 0;
  return {
    ...((isBoth || directions.includes('from-guest')) && { fromGuest: impairment }),
    ...((isBoth || directions.includes('to-guest')) && { toGuest: impairment }),
  };
}

/** `limit` is a number, all else is the lab's to understand. */
function settingOf(text: string): readonly [string, string | number] {
  const [, word = '', value = ''] = /^([^=]*)=(.*)$/.exec(text) ?? [undefined, text];
  if (!WORDS.includes(word) || value === '') {
    const meant = nearestWord(word, [...WORDS, ...DIRECTIONS]);
    const hint = meant !== undefined && meant !== word ? `did you mean ${meant}?` : 'write it as delay=20ms';
    fail(`link set: ${text} is no setting; ${hint}`, EXIT_USAGE);
  }
  return [word, word === 'limit' ? Number(value) : value];
}

function printLinks(links: readonly LinkStatus[]): void {
  const rows = links.map(({ port, up, fromGuest, toGuest }) => [
    port,
    up ? 'up' : 'down',
    directionText(fromGuest),
    directionText(toGuest),
  ]);
  print(table(['PORT', 'LINK', 'FROM GUEST', 'TO GUEST'], rows));
}

function directionText({ waiting, ...words }: LinkStatus['fromGuest']): string {
  const said = Object.entries(words).map(([word, value]) => `${word} ${value}`);
  if (said.length === 0) return '-';
  return [...said, ...(waiting > 0 ? [`(${waiting} wait)`] : [])].join(' ');
}

/** A port that is not there, or words that are wrong: they are told once, though they were meant for both directions. */
function refused(error: Error): never {
  if (!(error instanceof ControlError)) fail(error.message, EXIT_FAILURE);
  const { issues = [], message } = error;
  const told = issues.map((issue) =>
    formatIssue(issue.path[0] === 'body' ? { ...issue, path: issue.path.slice(-1) } : issue),
  );
  fail(told.length === 0 ? message : [...new Set(told)].join('\nvmlan: '), EXIT_USAGE);
}
