/** Narrows a table by name; `/` goes there. */
export function Filter({ text, set }: { text: string; set: (text: string) => void }) {
  return (
    <input
      type="search"
      placeholder="Filter by name  /"
      aria-label="Filter by name"
      data-key="/"
      value={text}
      onInput={event => set(event.currentTarget.value)}
    />
  )
}
