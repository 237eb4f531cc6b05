import { DeleteTopics } from '../../protocol/messages/delete-topics.ts'
import { askController } from '../ask-controller.ts'
import { handler } from '../handler.ts'

/** Topics by name or by id (KIP-4, 516). */
export default handler(DeleteTopics, (request, context) => askController(context, 'deleteTopics', request))
