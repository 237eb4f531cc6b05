import { KafkaError } from '../../protocol/errors.ts'
import type { ClusterClient } from '../cluster-client.ts'

/** Each subject's sequence is a topic of its own. */
const prefix = '__sequence.'
const longestName = 249

/** Its records say nothing and are soon forgotten; where the log ends is all that counts, and outlives them. */
const configs = {
  'cleanup.policy': 'delete',
  'retention.ms': String(60 * 60 * 1000),
  'segment.bytes': String(1024 * 1024),
}

/**
 * Numbers 0, 1, 2 … for each subject, given out by any node, each to one asker only. A number is the place of a record in the
 * log of a partition, so it is atomic, and survives whatever acknowledged records survive. Numbers nobody got (the asker or
 * its node went away meanwhile) are never given again: there may be gaps.
 */
export class Sequences {
  readonly #client: Pick<ClusterClient, 'pusher' | 'topic' | 'admin'>
  readonly #mayCreate: () => boolean

  /** `mayCreate`: whether topics are made by themselves. */
  constructor(client: Pick<ClusterClient, 'pusher' | 'topic' | 'admin'>, mayCreate: () => boolean) {
    this.#client = client
    this.#mayCreate = mayCreate
  }

  /** Throws INVALID_TOPIC_EXCEPTION, UNKNOWN_TOPIC_OR_PARTITION, and what writing a record throws. */
  async next(subject: string): Promise<number> {
    const topic = `${prefix}${subject}`
    if (topic.length > longestName || subject === '') {
      const most = longestName - prefix.length
      throw new KafkaError('INVALID_TOPIC_EXCEPTION', `a subject with a sequence has 1 to ${most} characters`)
    }
    const record = { topic, partition: 0, value: null }
    try {
      await this.#client.topic(topic)
    } catch (error) {
      if (!this.#mayCreate() || !isMissing(error)) throw error
      await this.#create(topic)
    }
    const { offset } = await this.#client.pusher(-1).send(record)
    // An answer that was lost, to a record that is there: its number is nobody's.
    if (offset < 0) return this.next(subject)
    return offset
  }

  async #create(name: string): Promise<void> {
    try {
      await this.#client.admin.createTopics([{ name, partitions: 1, configs }])
    } catch (error) {
      if (!(error instanceof KafkaError && error.errorName === 'TOPIC_ALREADY_EXISTS')) throw error
    }
  }
}

const isMissing = (error: unknown) => error instanceof KafkaError && error.errorName === 'UNKNOWN_TOPIC_OR_PARTITION'
