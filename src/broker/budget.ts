/** Bytes of requests without an answer that share one limit. */
export class Budget {
  bytes = 0
  readonly limit: number

  constructor(limit: number) {
    this.limit = limit
  }

  /** Nothing more is read for now. What was read last may go beyond the limit. */
  get full(): boolean {
    return this.bytes >= this.limit
  }
}
