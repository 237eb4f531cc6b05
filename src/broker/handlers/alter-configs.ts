import { AlterConfigs } from '../../protocol/messages/alter-configs.ts'
import { askController } from '../ask-controller.ts'
import { handler } from '../handler.ts'

/** Replaces all settings of a resource (KIP-133); the incremental form is the better one (KIP-339). */
export default handler(AlterConfigs, (request, context) => askController(context, 'alterConfigs', request))
