/** What a test wants: groups that form at once, one partition for `__consumer_offsets`. A test's own settings override it. */
export const forTests = {
  'group.initial.rebalance.delay.ms': 0,
  'offsets.topic.num.partitions': 1,
  'share.coordinator.state.topic.num.partitions': 1,
}
