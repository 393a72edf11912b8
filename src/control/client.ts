/** Talks to a running lab over its control socket. */
import type { IncomingMessage } from 'node:http';
import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import type { Issue } from '../base/issue.ts';

/** The lab answered with an error: its code and its sentence. */
export class ControlError extends Error {
  readonly code: string;
  /** All that is wrong, where several things can be. */
  readonly issues: readonly Issue[] | undefined;

  constructor(code: string, message: string, issues?: readonly Issue[]) {
    super(message);
    this.issues = issues;
    this.name = 'ControlError';
    this.code = code;
  }
}

/** Sends a request and gives the answer with its body unread; rejects with a `ControlError` where the lab refused. */
export async function callControl(
  socketPath: string,
  method: string,
  path: string,
  body?: unknown,
): Promise<IncomingMessage> {
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const headers = body === undefined ? {} : { 'content-type': 'application/json' };
    const call = request({ socketPath, method, path, headers }, resolve);
    call.once('error', reject);
    call.end(body === undefined ? undefined : JSON.stringify(body));
  });
  if (answer.statusCode !== undefined && answer.statusCode < 300) return answer;
  const said = await text(answer);
  if (answer.headers['content-type']?.startsWith('application/json') !== true) {
    throw new ControlError(
      'unexpected-answer',
      `the lab answered ${answer.statusCode} ${said}; is it another version of vmlan?`,
    );
  }
  const { error, message, issues } = JSON.parse(said) as { error: string; message: string; issues?: readonly Issue[] };
  throw new ControlError(error, message, issues);
}

export async function getControl<T>(socketPath: string, path: string): Promise<T> {
  return JSON.parse(await text(await callControl(socketPath, 'GET', path))) as T;
}
