import { api, array, int8, int16, int32, list, string, struct } from '../schema.ts'

const topologyDescriptionNode = {
  name: string,
  nodeType: int8,
  sourceTopics: list(string),
  sinkTopic: string.nullable().or(null),
  stores: list(string),
  successors: list(string),
}

/** A member of a streams group hands in the description of its topology, when it was asked to. */
export const StreamsGroupTopologyDescriptionUpdate = api(
  93,
  'StreamsGroupTopologyDescriptionUpdate',
  '0',
  { flexible: '0+' },
  {
    groupId: string,
    memberId: string,
    topologyEpoch: int32,
    topologyDescription: struct({
      subtopologies: array({ subtopologyId: string, nodes: array(topologyDescriptionNode) }),
      globalStores: array({
        source: struct(topologyDescriptionNode),
        processor: struct(topologyDescriptionNode),
      }),
    }),
  },
  {
    throttleTimeMs: int32.or(0),
    errorCode: int16,
    errorMessage: string.nullable().or(null),
  },
)
