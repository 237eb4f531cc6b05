import { Heartbeat } from '../../protocol/messages/heartbeat.ts'
import { handler } from '../handler.ts'

/** A member is alive, and hears of rebalances. */
export default handler(Heartbeat, (request, { node }) => node.groups.heartbeat(request))
