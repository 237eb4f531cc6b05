/** Topics that only coordinators write to. */
const internalTopics: ReadonlySet<string> = new Set([
  '__consumer_offsets',
  '__transaction_state',
  '__share_group_state',
])

export const isInternal = (topic: string): boolean => internalTopics.has(topic)
