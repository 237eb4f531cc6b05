import { IncrementalAlterConfigs } from '../../protocol/messages/incremental-alter-configs.ts'
import { askController } from '../ask-controller.ts'
import { handler } from '../handler.ts'

/** Sets, deletes, appends to and subtracts from settings (KIP-339). */
export default handler(IncrementalAlterConfigs, (request, context) =>
  askController(context, 'incrementalAlterConfigs', request),
)
