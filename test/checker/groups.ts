import type { Finding, Operation } from './history.ts'

/** overlapping-owners: two members hold a partition in one epoch. commit-went-back: a group's offset is lower than before. */
export function groupFindings(history: readonly Operation[]): Finding[] {
  return [...overlaps(history), ...commits(history)]
}

function* overlaps(history: readonly Operation[]): Iterable<Finding> {
  const held = new Map<string, Operation[]>()
  for (const operation of history) {
    if (operation.f !== 'own') continue
    const what = `${operation.group} ${operation.key} ${operation.epoch}`
    const others = held.get(what)
    if (others) others.push(operation)
    else held.set(what, [operation])
  }
  for (const owners of held.values()) {
    owners.sort((a, b) => a.t0 - b.t0)
    let longest = owners[0]!
    for (const owner of owners.slice(1)) {
      if (owner.t0 < longest.t1 && owner.process !== longest.process) {
        const key = owner.key ?? ''
        const text = `${longest.process} and ${owner.process} both held it in epoch ${owner.epoch} of ${owner.group}`
        yield { kind: 'overlapping-owners', key, text }
      }
      if (owner.t1 > longest.t1) longest = owner
    }
  }
}

function* commits(history: readonly Operation[]): Iterable<Finding> {
  const asked = history.filter(operation => operation.f === 'committed').sort((a, b) => a.t0 - b.t0)
  // The highest answer among the questions that had ended, by group and key.
  const best = new Map<string, { ended: Operation[]; highest: number }>()
  for (const operation of asked) {
    const what = `${operation.group} ${operation.key}`
    const known = best.get(what) ?? { ended: [], highest: -1 }
    best.set(what, known)
    const offset = operation.offset ?? -1
    known.ended = known.ended.filter(earlier => {
      if (earlier.t1 >= operation.t0) return true
      known.highest = Math.max(known.highest, earlier.offset ?? -1)
      return false
    })
    if (offset < known.highest) {
      const text = `the committed offset of ${operation.group} was ${known.highest} and is now ${offset}`
      yield { kind: 'commit-went-back', key: operation.key ?? '', text }
    }
    known.ended.push(operation)
  }
}
