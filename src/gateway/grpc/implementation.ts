import type { Fields, FieldsIn, FieldsOut, Method, Service } from './protobuf/schema.ts'
import type { Call } from './wire/call.ts'

/** What does a method's work, by its kind. All of it ends when `call.signal` is aborted. */
export type Handler<M> = M extends {
  readonly request: { readonly fields: infer Q extends Fields }
  readonly response: { readonly fields: infer A extends Fields }
  readonly clientStreams: infer C
  readonly serverStreams: infer S
}
  ? [C, S] extends [false, false]
    ? (request: FieldsOut<Q>, call: Call<Q, A>) => Promise<FieldsIn<A>>
    : [C, S] extends [false, true]
      ? (request: FieldsOut<Q>, call: Call<Q, A>) => Promise<void>
      : (call: Call<Q, A>) => Promise<void>
  : never

/** A function for each method of a service. */
export type Implementation<S extends Service> = { readonly [K in keyof S['methods']]: Handler<S['methods'][K]> }

/** A method as the server calls it: reads what the client says, works, ends the call. */
export interface Served {
  readonly name: string
  readonly method: Method
  run(call: Call): Promise<void>
}

/** By path, as in `/broker.Broker/Publish`. */
export function served<S extends Service>(service: S, implementation: Implementation<S>): Map<string, Served> {
  const paths = new Map<string, Served>()
  for (const [name, method] of Object.entries(service.methods)) {
    // The table of types above has checked what is called here.
    const handler = implementation[name as keyof S['methods']] as (...args: unknown[]) => Promise<unknown>
    const run = async (call: Call): Promise<void> => {
      try {
        if (method.clientStreams) call.succeed((await handler.call(implementation, call)) as undefined)
        else {
          const answer = await handler.call(implementation, await call.request(), call)
          call.succeed(method.serverStreams ? undefined : (answer as object))
        }
      } catch (error) {
        call.fail(error)
      }
    }
    paths.set(`/${service.fullName}/${name}`, { name: `${service.fullName}/${name}`, method, run })
  }
  return paths
}
