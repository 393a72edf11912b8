/** What can be wrong with bytes from outside. A value, never an exception. */
export type Defect = 'truncated' | 'bad-version' | 'bad-length' | 'bad-checksum' | 'bad-value';
