import { useEffect, useState } from 'preact/hooks'

let show: (text: string) => void = () => {}

/** Tells something that needs no answer. */
export const say = (text: string): void => show(text)

export function Toasts() {
  const [texts, setTexts] = useState<{ id: number; text: string }[]>([])
  useEffect(() => {
    let next = 0
    show = text => {
      const id = next++
      setTexts(before => [...before.slice(-2), { id, text }])
      setTimeout(() => setTexts(before => before.filter(each => each.id !== id)), 4000)
    }
  }, [])
  return (
    <div class="toasts" role="status">
      {texts.map(({ id, text }) => (
        <p key={id}>{text}</p>
      ))}
    </div>
  )
}
