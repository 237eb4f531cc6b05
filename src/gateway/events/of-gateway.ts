import type { Gateway } from '../gateway.ts'
import { EventDesk } from './desk.ts'

const desks = new WeakMap<Gateway, EventDesk>()

/** The streams of a node: made with the first of them, ended when the node stops. */
export function eventDesk(gateway: Gateway): EventDesk {
  const known = desks.get(gateway)
  if (known !== undefined) return known
  const { world, logger, config } = gateway
  const limits = {
    streams: config.get('http.max.event.streams'),
    heartbeatMs: config.get('http.event.heartbeat.ms'),
    stallMs: config.get('http.event.stall.ms'),
    unsentBytes: config.get('http.event.unsent.max.bytes'),
    keptBytes: config.get('http.event.kept.bytes'),
  }
  const desk = new EventDesk({ world, logger, limits, open: options => gateway.client.open(options) })
  gateway.stopping.addEventListener('abort', () => desk.close(), { once: true })
  if (gateway.stopping.aborted) desk.close()
  desks.set(gateway, desk)
  return desk
}

/** Null as long as nobody subscribed. */
export const knownEventDesk = (gateway: Gateway): EventDesk | null => desks.get(gateway) ?? null
