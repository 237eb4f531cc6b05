import type { Cluster } from '../../client/cluster.ts'
import { KafkaError } from '../../protocol/errors.ts'
import { ApiVersions } from '../../protocol/messages/api-versions.ts'
import type { ResponseOutput } from '../../protocol/schema.ts'
import type { Directory } from './directory.ts'

type Answer = ResponseOutput<typeof ApiVersions>

export interface ApiRange {
  readonly apiKey: number
  readonly minVersion: number
  readonly maxVersion: number
}

/** What a gateway announces: ranges, and the features of the cluster. */
export type AnnouncedApis = { readonly apiKeys: readonly ApiRange[] } & Pick<
  Answer,
  'supportedFeatures' | 'finalizedFeaturesEpoch' | 'finalizedFeatures'
>

/** ms for which what the nodes said is believed: they change with an upgrade only. */
const believedMs = 10_000

/** What the nodes of the cluster serve, all of them: it is asked for once for all clients that come meanwhile. */
export class Announcement {
  readonly #cluster: Cluster
  readonly #directory: Directory
  #asked = Number.NEGATIVE_INFINITY
  #asking: Promise<AnnouncedApis> | null = null
  #known: AnnouncedApis | null = null

  constructor(cluster: Cluster, directory: Directory) {
    this.#cluster = cluster
    this.#directory = directory
  }

  /** What was heard last, if anything was; meanwhile it is asked for anew when that was long ago. Rejects when nobody answers. */
  async get(): Promise<AnnouncedApis> {
    const now = this.#cluster.world.clock.mono()
    if (this.#asking === null && now - this.#asked >= believedMs) {
      this.#asked = now
      this.#asking = this.#ask().finally(() => {
        this.#asking = null
      })
      // Who has an answer does not wait for this one.
      this.#asking.catch(() => {
        this.#asked = Number.NEGATIVE_INFINITY
      })
    }
    if (this.#known !== null) return this.#known
    if (this.#asking === null) throw new KafkaError('NETWORK_EXCEPTION', 'no node of the cluster can be reached')
    return this.#asking
  }

  async #ask(): Promise<AnnouncedApis> {
    if (this.#directory.brokers.size === 0) await this.#directory.refresh()
    const body = { clientSoftwareName: 'ottla-gateway', clientSoftwareVersion: '0' }
    const asking = [...this.#directory.brokers.keys()].map(async id =>
      (await this.#cluster.broker(id)).request(ApiVersions, body),
    )
    const answers: Answer[] = []
    for (const result of await Promise.allSettled(asking))
      if (result.status === 'fulfilled' && result.value.errorCode === 0) answers.push(result.value)
    if (answers.length === 0) throw new KafkaError('NETWORK_EXCEPTION', 'no node of the cluster can be reached')
    const { supportedFeatures, finalizedFeaturesEpoch, finalizedFeatures } = answers[0]!
    this.#known = { apiKeys: common(answers), supportedFeatures, finalizedFeaturesEpoch, finalizedFeatures }
    return this.#known
  }
}

/** The versions that all of them have. */
export function common(answers: readonly { readonly apiKeys: readonly ApiRange[] }[]): ApiRange[] {
  const [first, ...others] = answers
  const ranges: ApiRange[] = []
  for (let range of first?.apiKeys ?? []) {
    for (const { apiKeys } of others) {
      const theirs = apiKeys.find(({ apiKey }) => apiKey === range.apiKey)
      range = {
        apiKey: range.apiKey,
        minVersion: Math.max(range.minVersion, theirs?.minVersion ?? 0),
        maxVersion: Math.min(range.maxVersion, theirs?.maxVersion ?? -1),
      }
    }
    if (range.maxVersion >= range.minVersion) ranges.push(range)
  }
  return ranges
}
