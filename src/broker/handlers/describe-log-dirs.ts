import { ErrorCode } from '../../protocol/errors.ts'
import { DescribeLogDirs } from '../../protocol/messages/describe-log-dirs.ts'
import type { Partition } from '../../replication/partition.ts'
import { handler } from '../handler.ts'

/** How many bytes each replica takes, and what the disk has left (KIP-113, 827). */
export default handler(DescribeLogDirs, (request, { node }) => {
  const topics = new Map<string, Partition[]>()
  const wanted = request.topics === null ? node.replicas.all() : named(request.topics)
  for (const partition of wanted) {
    const partitions = topics.get(partition.topic)
    if (partitions === undefined) topics.set(partition.topic, [partition])
    else partitions.push(partition)
  }
  const { free, total } = node.volume.space()
  return {
    throttleTimeMs: 0,
    errorCode: ErrorCode.NONE,
    results: [
      {
        errorCode: ErrorCode.NONE,
        logDir: node.dataDirectory,
        topics: [...topics].map(([name, partitions]) => ({ name, partitions: partitions.map(sizeOf) })),
        totalBytes: total,
        usableBytes: free,
        isCordoned: false,
      },
    ],
  }

  function* named(topics: readonly { topic: string; partitions: readonly number[] }[]): Iterable<Partition> {
    for (const { topic, partitions } of topics)
      for (const index of partitions) {
        const partition = node.replicas.find(topic, index)
        if (partition !== undefined) yield partition
      }
  }
})

function sizeOf({ index, log, highWatermark }: Partition) {
  const offsetLag = Math.max(0, highWatermark - log.logEndOffset)
  return { partitionIndex: index, partitionSize: log.sizeInBytes, offsetLag, isFutureKey: false }
}
