import { CreateTopics } from '../../protocol/messages/create-topics.ts'
import { askController } from '../ask-controller.ts'
import { handler } from '../handler.ts'

/** Topics, with their settings and placement (KIP-4, 464, 525). */
export default handler(CreateTopics, (request, context) => askController(context, 'createTopics', request))
