import type { Surroundings } from './leadership.ts'

/** Nobody answers what is proposed; nobody is slow. */
export const quietSurroundings: Surroundings = {
  isrChanges: { propose() {} },
  eligibleEpoch: () => 1,
  mono: () => 0,
  lagMaxMs: 5000,
  slowAfterMs: -1,
  slowProbationMs: 0,
  warn() {},
}
