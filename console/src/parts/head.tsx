import type { ComponentChildren } from 'preact'
import { link } from '../route.ts'

interface HeadProps {
  /** The list that this is one of: its title, and its place. */
  among: string
  place: string
  name: string
  remove: () => void
  children?: ComponentChildren
}

/** The top of a page about one thing, with what can be done to it as a whole. */
export function Head({ among, place, name, remove, children }: HeadProps) {
  return (
    <>
      <p class="crumbs">
        <a href={link(place)}>{among}</a>
      </p>
      <div class="bar">
        <h1>{name}</h1>
        {children}
        <button type="button" class="quiet" onClick={remove}>
          Delete …
        </button>
      </div>
    </>
  )
}
