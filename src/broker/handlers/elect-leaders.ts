import { ElectLeaders } from '../../protocol/messages/elect-leaders.ts'
import { askController } from '../ask-controller.ts'
import { handler } from '../handler.ts'

/** Preferred leaders lead again; or, when nobody else can, somebody out of sync (KIP-460). */
export default handler(ElectLeaders, (request, context) => askController(context, 'electLeaders', request))
