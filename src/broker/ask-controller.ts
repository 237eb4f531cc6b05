import type { CommandName, CommandRequest, CommandResponse } from '../cluster/commands/command.ts'
import { refuseCommand } from '../cluster/controller.ts'
import { KafkaError } from '../protocol/errors.ts'
import type { RequestContext } from './handler.ts'

/** What a handler of a request that changes metadata does: the controller decides, wherever it is. */
export function askController<Name extends CommandName>(
  { node }: RequestContext,
  name: Name,
  request: CommandRequest<Name>,
): Promise<CommandResponse<Name>> {
  return node.controller.ask(name, request)
}

/** As `askController`, for what only a node of the cluster may ask: it must have proved the cluster's secret. */
export function askControllerAsNode<Name extends CommandName>(
  context: RequestContext,
  name: Name,
  request: CommandRequest<Name>,
): Promise<CommandResponse<Name>> | CommandResponse<Name> {
  if (context.peer.node) return askController(context, name, request)
  const error = new KafkaError('CLUSTER_AUTHORIZATION_FAILED')
  return refuseCommand({ do: name, request } as never, error) as CommandResponse<Name>
}
