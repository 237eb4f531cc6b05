import { CreateTopics } from '../../protocol/messages/create-topics.ts'
import { handler } from '../handler.ts'

/** Topics, with their settings and placement (KIP-4, 464, 525). */
export default handler(CreateTopics, (request, { node }) => node.controller.ask('createTopics', request))
