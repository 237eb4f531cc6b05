import { useEffect } from 'preact/hooks'
import { go } from './route.ts'

/** What keys do, for the page that tells it. */
export const keys: readonly [keys: string, does: string][] = [
  ['g o', 'overview'],
  ['g t', 'topics'],
  ['g g', 'groups'],
  ['g n', 'nodes'],
  ['/', 'search or filter'],
  ['n', 'new message or topic'],
  ['r', 'refresh'],
  ['t', 'dark, light'],
  ['Esc', 'close'],
  ['?', 'this list'],
]

const places: { [key: string]: string[] } = { o: [], t: ['topics'], g: ['groups'], n: ['nodes'] }

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))

/** Keys that hold everywhere; `data-key` on an element makes a key press it, or go into it. */
export function useKeyboard(actions: { [key: string]: () => void }): void {
  useEffect(() => {
    let led = 0
    const pressed = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return
      if (document.querySelector('dialog[open]') !== null) return
      const { key } = event
      if (event.timeStamp - led < 1000 && places[key] !== undefined) {
        led = 0
        go(...places[key])
        event.preventDefault()
        return
      }
      if (key === 'g') {
        led = event.timeStamp
        return
      }
      const element = document.querySelector<HTMLElement>(`[data-key="${CSS.escape(key)}"]`)
      if (element !== null) {
        if (isTyping(element)) element.focus()
        else element.click()
        event.preventDefault()
      } else if (actions[key] !== undefined) {
        actions[key]()
        event.preventDefault()
      }
    }
    addEventListener('keydown', pressed)
    return () => removeEventListener('keydown', pressed)
  })
}
