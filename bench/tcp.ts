/**
 * TCP in memory: two stacks on one wire, a stream from one to the other; and the checksum. No sockets, no switch.
 *
 *     npx tsx bench/tcp.ts [ROUNDS]
 *
 * A segment's price is that of both ends: cut, summed and framed by one, summed, judged and handed on by the other, and its share
 * of the acknowledgments.
 */
import { sumWords } from '../src/base/checksum.ts';
import { machine, median, row } from './measure.ts';
import { TcpPair } from './tcp-pair.ts';

const MTUS = [1500, 9000, 65_000];
const CHECKSUM_LENGTHS = [64, 1460, 8960, 65_000];
const MEASURE_MILLIS = 400;

function measureAll(rounds: number): void {
  console.log(machine());
  console.log(`${rounds} rounds, median (best)\n`);
  const widths = [10, 20, 20, 20];
  console.log(row(['MTU', 'CPU ns per segment', 'CPU s per GB'], widths));
  for (const mtu of MTUS) {
    const path = new TcpPair(mtu);
    path.measure(MEASURE_MILLIS); // warms up
    const taken = Array.from({ length: rounds }, () => path.measure(MEASURE_MILLIS));
    const perSegment = taken.map(({ nanos, segments }) => nanos / segments);
    const perOctet = taken.map(({ nanos, octets }) => nanos / octets);
    console.log(row([mtu, shown(perSegment, 0), shown(perOctet, 2)], widths));
  }
  console.log(`\n${row(['octets', 'checksum ns', 'GB/s'], widths)}`);
  for (const length of CHECKSUM_LENGTHS) {
    const taken = Array.from({ length: rounds + 1 }, () => checksum(length)).slice(1);
    const best = Math.min(...taken);
    console.log(row([length, `${median(taken).toFixed(0)} (${best.toFixed(0)})`, (length / best).toFixed(1)], widths));
  }
}

function shown(values: readonly number[], digits: number): string {
  return `${median(values).toFixed(digits)} (${Math.min(...values).toFixed(digits)})`;
}

/** Nanoseconds for one sum, at changing alignment. */
function checksum(length: number): number {
  const bytes = new Uint8Array(length + 64).fill(0xa5);
  const repetitions = Math.ceil(1e8 / length);
  let sum = 0;
  const before = process.cpuUsage();
  for (let i = 0; i < repetitions; i++) sum += sumWords(bytes, (i & 31) * 2, (i & 31) * 2 + length);
  const { user, system } = process.cpuUsage(before);
  const nanos = ((user + system) * 1000) / repetitions;
  if (sum === 0) throw new Error('the sums were optimised away');
  return nanos;
}

measureAll(Number(process.argv[2] ?? 5));
process.exit(0);
