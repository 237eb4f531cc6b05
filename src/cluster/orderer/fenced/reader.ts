import type { OrderedLogListener } from '../../../machine/machine.ts'
import { newUuid } from '../../../protocol/uuid.ts'
import type { Random } from '../../../world/world.ts'
import type { MetadataRecord } from '../../records/records.ts'
import { BrokenChain, positionAfter } from './chain.ts'
import { type FencedLog, type Head, logStart, StoreUnfit, StoreUnreachable } from './fenced-log.ts'
import type { Memory } from './remembered.ts'
import { Replay } from './replay.ts'

export interface ReaderOptions {
  readonly log: FencedLog
  readonly memory: Memory
  readonly random: Random
  readonly clusterId: string
  /** False: a store without a log is waited for. */
  readonly create: boolean
  /** See `FencedOrdererOptions.accept`. */
  readonly accept: string | null
  /** What was seen could not be noted. */
  readonly notNoted: (error: Error) => void
}

/** Follows the log in the store, and compares it with what this node remembers before anybody is shown anything. */
export class Reader {
  readonly #options: ReaderOptions
  readonly #log: FencedLog
  readonly #memory: Memory
  #listener: OrderedLogListener<MetadataRecord> = { load() {}, commit() {}, lead() {} }
  #replay = new Replay(this.#listener)
  #stopped = false

  constructor(options: ReaderOptions) {
    this.#options = options
    this.#log = options.log
    this.#memory = options.memory
  }

  /** What was read in this life, since the last `startAnew`. */
  get replay(): Replay {
    return this.#replay
  }

  follow(listener: OrderedLogListener<MetadataRecord>): void {
    this.#listener = listener
    this.startAnew()
  }

  /** The listener is told everything from the beginning, with the next `catchUp`. */
  startAnew(): void {
    this.#replay = new Replay(this.#listener)
  }

  /** `catchUp` rejects from now on. */
  stop(): void {
    this.#stopped = true
  }

  /** Reads all of the log that counts. Rejects with BrokenChain when it is not the one that we know. */
  async catchUp(): Promise<Head> {
    for (;;) {
      const found = await this.#log.look(this.#replay.position.endOffset)
      if (this.#stopped) throw new StoreUnreachable('the node is closing')
      if (found === null) {
        await this.#begin()
        continue
      }
      const { head, entries } = found
      await this.#accept(head)
      this.#check(head)
      if (!this.#replay.loaded || head.startOffset > this.#replay.position.endOffset) {
        await this.#load(head)
        continue
      }
      const safe = entries.filter(entry => entry.endOffset <= head.safeOffset)
      for (const entry of safe) this.#replay.take(entry)
      const { endOffset, hash } = this.#replay.position
      if (endOffset > head.endOffset || (endOffset === head.endOffset && hash !== head.hash)) {
        throw new BrokenChain(`the log ends at offset ${head.endOffset}, and not as its own head says`)
      }
      // Behind it, when a copy took over that did not know yet what was safe.
      if (endOffset >= head.safeOffset) {
        this.#note(head)
        return head
      }
      if (safe.length === 0) {
        throw new BrokenChain(`the log has nothing behind offset ${endOffset}, before offset ${head.safeOffset}`)
      }
    }
  }

  /** No log in the store: a new cluster begins, or a log has been lost. */
  async #begin(): Promise<void> {
    const { clusterId, create, random } = this.#options
    const { logId } = this.#memory.now
    if (logId !== '') throw new BrokenChain('the log of this cluster is not there any more')
    if (!create) throw new Error('there is no cluster yet')
    await this.#log.create(newUuid(random), clusterId)
  }

  /** Once, where a person says that what is there is to be taken: what this node knows of another past does not count. */
  async #accept({ source }: Head): Promise<void> {
    const { now } = this.#memory
    if (this.#options.accept !== source || now.accepted === source) return
    this.startAnew()
    await this.#memory.note({ accepted: source, logId: '', position: logStart, promised: null })
  }

  /** What can be seen without reading. */
  #check(head: Head): void {
    const { clusterId } = this.#options
    const { logId, position, epoch } = this.#memory.now
    if (head.clusterId !== clusterId) {
      throw new StoreUnfit(`it holds the metadata of cluster ${head.clusterId}, and this node belongs to ${clusterId}`)
    }
    if (logId !== '' && head.logId !== logId) throw new BrokenChain('the log was made anew, by others')
    if (head.endOffset < position.endOffset) {
      throw this.#missed(
        head,
        `the log ends at offset ${head.endOffset}, and this node has seen it up to offset ${position.endOffset}`,
      )
    }
    if (head.token.epoch < epoch && this.#options.accept !== head.source) {
      throw this.#missed(head, `the epoch is ${head.token.epoch}, and this node has seen epoch ${epoch}`)
    }
  }

  /** Not what this node knows: the store forgot it, or goes on elsewhere. */
  #missed({ source }: Head, what: string): BrokenChain {
    return new BrokenChain(
      `${what}; if that is gone for good and no former server is used any more, take what is there by ` +
        `?accept=${source} on each node that says so`,
    )
  }

  async #load(head: Head): Promise<void> {
    if (!(await this.#meets(head))) return
    const { snapshot } = head
    if (snapshot === null) {
      if (head.startOffset > 0) throw new BrokenChain(`nothing is there before offset ${head.startOffset}`)
      this.#replay.load(null)
      return
    }
    const bytes = await this.#log.getSnapshot(snapshot)
    if (this.#stopped) return
    if (bytes === null) throw new Error(`the snapshot at offset ${snapshot.endOffset} makes room for a newer one`)
    try {
      this.#replay.load({ ...snapshot, bytes })
    } catch (error) {
      throw new BrokenChain(`the snapshot at offset ${snapshot.endOffset} is unreadable`, { cause: error })
    }
  }

  /**
   * Before anything is shown to anybody: what we know must be there. Where the log begins behind it, its id, its end and
   * its epoch have to do. False: it begins elsewhere since we looked.
   */
  async #meets(head: Head): Promise<boolean> {
    const { position } = this.#memory.now
    if (position.endOffset <= head.startOffset) return true
    const found = await this.#log.look(position.endOffset - 1)
    if (found === null || found.head.startOffset !== head.startOffset) return false
    const [entry] = found.entries
    if (entry === undefined || entry.endOffset > position.endOffset) {
      throw this.#missed(found.head, `the log has no batch that ends at offset ${position.endOffset}, as it had`)
    }
    if (positionAfter(entry).hash !== position.hash) {
      throw this.#missed(
        found.head,
        `the log differs below offset ${position.endOffset} from what this node has seen there`,
      )
    }
    return true
  }

  /** A follower's memory may trail: it answers nobody. */
  #note(head: Head): void {
    const { now } = this.#memory
    const { position } = this.#replay
    // Not the head's: who took that one may be waiting for its copies still.
    const epoch = Math.max(now.epoch, this.#replay.epoch)
    // Who has led since then knows of it, and vouches for nothing that does not: what was promised is of no use any more.
    const promised = now.promised !== null && this.#replay.epoch > now.promised.epoch ? null : now.promised
    const known = now.logId === head.logId && now.epoch === epoch && now.promised === promised
    if (known && now.position.endOffset >= position.endOffset) return
    const further = now.position.endOffset >= position.endOffset ? now.position : position
    this.#memory.note({ logId: head.logId, epoch, position: further, promised }).catch(this.#options.notNoted)
  }
}
