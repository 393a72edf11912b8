/** How much may be on its way: slow start, congestion avoidance (RFC 5681) with byte counting (RFC 3465), initial window of RFC 6928. */

/** No path in reach of a LAN holds more; it bounds what one acknowledgment can release. */
const MAX_WINDOW = 4 * 1024 * 1024;

export class Congestion {
  /** Octets. */
  window: number;
  #threshold = Number.POSITIVE_INFINITY;
  #segment: number;

  constructor(segment: number) {
    this.#segment = segment;
    this.window = this.initialWindow;
  }

  /** RFC 6928, 2. */
  get initialWindow(): number {
    return Math.min(10 * this.#segment, Math.max(2 * this.#segment, 14_600));
  }

  /** The handshake is over: segments have this size now; a SYN that was lost leaves one of them (RFC 5681, 3.1). */
  begin(segment: number, hasLostSyn: boolean): void {
    this.#segment = segment;
    this.window = hasLostSyn ? segment : this.initialWindow;
  }

  /** The path takes no larger segments. */
  shrinkSegment(segment: number): void {
    this.#segment = segment;
  }

  /** `octets` were acknowledged while the window was what held us back. */
  acknowledged(octets: number): void {
    const grown =
      this.window < this.#threshold
        ? this.window + octets
        : this.window + Math.max(1, (this.#segment * octets) / this.window);
    this.window = Math.min(grown, MAX_WINDOW);
  }

  /** RFC 5681, 3.2: a segment was lost, later ones arrived. */
  enterRecovery(inFlight: number): void {
    this.#threshold = Math.max(inFlight / 2, 2 * this.#segment);
    this.window = this.#threshold;
  }

  leaveRecovery(): void {
    this.window = Math.max(this.#threshold, 2 * this.#segment);
  }

  /** RFC 5681, 3.1: nothing comes back any more; `isFirst` of a row of timeouts. */
  timedOut(inFlight: number, isFirst: boolean): void {
    if (isFirst) this.#threshold = Math.max(inFlight / 2, 2 * this.#segment);
    this.window = this.#segment;
  }

  /** RFC 5681, 4.1: after a pause nobody knows what the path holds. */
  restart(): void {
    this.window = Math.min(this.window, this.initialWindow);
  }
}
