import type { Machine, Moment } from '../machine/machine.ts'
import { acquire } from './acquire.ts'
import { deleteGroup, describe, forgetTopics, reset } from './administration.ts'
import type { ShareAnswer, ShareCommand, ShareDecision, ShareEffect } from './commands.ts'
import type { ShareConfig } from './config.ts'
import type { ShareRecord } from './facts.ts'
import { look, lookTimer } from './look.ts'
import { bury, settle, skip } from './settle.ts'
import { partitionsOf, SharesState, type Watch } from './state.ts'

/**
 * Lease groups: one machine for one partition of `__share_group_state`, designed after Kafka's share groups (KIP-932). It
 * knows offsets, not records. That somebody has a record is a fact in the log as much as that he is done with it: a new
 * leader knows every lease, and hands out nothing that somebody may still be working on.
 */
export class ShareMachine implements Machine<ShareCommand, ShareRecord, ShareAnswer> {
  readonly state: SharesState
  readonly #config: ShareConfig

  constructor(config: ShareConfig, watch?: Watch) {
    this.#config = config
    this.state = new SharesState(config.rememberedLeases, watch)
  }

  decide(command: ShareCommand, at: Moment): ShareDecision {
    const state = this.state
    switch (command.type) {
      case 'Acquire':
        return acquire(state, command, this.#config, at)
      case 'Settle':
        return settle(state, command, this.#config, at)
      case 'Skip':
        return skip(state, command)
      case 'Bury':
        return bury(state, command)
      case 'Look':
        return look(state, command, this.#config, at)
      case 'Reset':
        return reset(state, command)
      case 'Describe':
        return describe(state, command)
      case 'Delete':
        return deleteGroup(state, command)
      case 'TopicsDeleted':
        return forgetTopics(state, command)
    }
  }

  apply(record: ShareRecord, timestamp: number): void {
    this.state.apply(record, timestamp)
  }

  /** Leases begin anew, see `TookLeadRecord`. */
  lead(at: Moment): ShareDecision {
    const effects: ShareEffect[] = []
    for (const group of this.state.groups.values())
      for (const share of partitionsOf(group)) {
        let next = Number.POSITIVE_INFINITY
        for (const [offset, { state, lockMs, until }] of share.unfinished) {
          if (state === 'acquired') next = Math.min(next, at.ms + lockMs)
          else if (share.resting.has(offset)) next = Math.min(next, until)
        }
        if (Number.isFinite(next)) effects.push(lookTimer(group.groupId, share.topicId, share.partition, next, at))
      }
    return { records: [], soft: [{ kind: 'TookLead', ms: at.ms }], effects }
  }

  snapshot(): Iterable<ShareRecord> {
    return this.state.snapshot()
  }
}
