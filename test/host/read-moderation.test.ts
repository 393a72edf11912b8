import { describe, expect, it } from 'vitest';
import type { Sleeper } from '../../src/host/read-moderation.ts';
import { ReadModeration } from '../../src/host/read-moderation.ts';

/** A thread whose clock the test turns. */
class TestThread implements Sleeper {
  wokeAt = Number.NEGATIVE_INFINITY;
  pauses = 0;
  #now = 0;

  now(): number {
    return this.#now;
  }

  sleep(time: number): void {
    this.pauses++;
    this.#now += time;
  }

  pass(time: number): void {
    this.#now += time;
  }
}

/** Reads of `frames` short frames each; every one comes `gap` ms after the last was done with, and takes 0.05 ms. */
function read(
  moderation: ReadModeration,
  thread: TestThread,
  reads: number,
  frames: number,
  gap: number,
  length = 64,
): void {
  for (let i = 0; i < reads; i++) {
    thread.pass(gap);
    moderation.beforeRead();
    thread.pass(0.05);
    moderation.afterRead(frames, frames * length);
  }
}

describe('read moderation', () => {
  it('pauses after each small read while they come in bulk', () => {
    const thread = new TestThread();
    read(new ReadModeration(thread), thread, 30, 4, 0.01);
    expect(thread.pauses).toBeGreaterThan(10);
  });

  it('takes reads of several long frames for bulk, however far apart', () => {
    const thread = new TestThread();
    read(new ReadModeration(thread), thread, 30, 4, 0.2, 1514);
    expect(thread.pauses).toBeGreaterThan(10);
  });

  it('never delays short frames that come together with time between, as a resolver sends its queries', () => {
    const thread = new TestThread();
    read(new ReadModeration(thread), thread, 1000, 8, 0.06);
    expect(thread.pauses).toBe(0);
  });

  it('never delays questions and answers', () => {
    const thread = new TestThread();
    read(new ReadModeration(thread), thread, 1000, 1, 0.06);
    expect(thread.pauses).toBe(0);
  });

  it('lets acknowledgments gather while much goes to the machine', () => {
    const thread = new TestThread();
    const moderation = new ReadModeration(thread);
    for (let i = 0; i < 20; i++) {
      moderation.wrote(64 * 1024);
      read(moderation, thread, 2, 4, 0.1);
    }
    expect(thread.pauses).toBeGreaterThan(10);
  });

  it('never delays a conversation because of one long answer in it', () => {
    const thread = new TestThread();
    const moderation = new ReadModeration(thread);
    moderation.wrote(1024 * 1024);
    read(moderation, thread, 100, 4, 0.1);
    expect(thread.pauses).toBe(0);
  });

  it('needs no pause where reads bring much anyway', () => {
    const thread = new TestThread();
    read(new ReadModeration(thread), thread, 100, 80, 0.01);
    read(new ReadModeration(thread), thread, 100, 1, 0.01, 65_538);
    expect(thread.pauses).toBe(0);
  });

  it('ends when a pause gathers nothing', () => {
    const thread = new TestThread();
    const moderation = new ReadModeration(thread);
    read(moderation, thread, 17, 4, 0.01);
    const before = thread.pauses;
    read(moderation, thread, 100, 1, 0.06);
    expect(thread.pauses).toBe(before);
  });

  it('pauses once for all machines', () => {
    const thread = new TestThread();
    const two = [new ReadModeration(thread), new ReadModeration(thread)];
    for (let i = 0; i < 40; i++) for (const moderation of two) read(moderation, thread, 1, 4, 0.001);
    const alone = new TestThread();
    read(new ReadModeration(alone), alone, 40, 4, 0.001);
    expect(thread.pauses).toBeLessThan(1.5 * alone.pauses);
  });
});
