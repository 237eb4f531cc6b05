import type { ComponentChildren } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { say } from './toast.tsx'

interface DialogProps {
  title: string
  close: () => void
  children: ComponentChildren
  wide?: boolean
}

/** Over everything else, until it is closed: by a button, Escape, or a click beside it. */
export function Dialog({ title, close, children, wide = false }: DialogProps) {
  const element = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    element.current?.showModal()
    // Not the button that closes it, though that comes first.
    element.current?.querySelector<HTMLElement>('form input, form textarea, form select, form button')?.focus()
  }, [])
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape is the dialog's own
    <dialog
      ref={element}
      class={wide ? 'wide' : ''}
      aria-label={title}
      onClose={close}
      onClick={event => {
        if (event.target === element.current) close()
      }}
    >
      <header>
        <h2>{title}</h2>
        <button type="button" class="quiet" aria-label="Close" onClick={close}>
          ✕
        </button>
      </header>
      {children}
    </dialog>
  )
}

interface FormProps {
  /** What the button says. */
  does: string
  danger?: boolean
  disabled?: boolean
  /** Throws what is shown. */
  run: () => Promise<void>
  children: ComponentChildren
}

/** Runs something once when it is sent, and shows what went wrong beside the button. */
export function Form({ does, danger = false, disabled = false, run, children }: FormProps) {
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<string | null>(null)
  const send = async (event: Event) => {
    event.preventDefault()
    setBusy(true)
    setError(null)
    try {
      await run()
    } catch (problem) {
      setError((problem as Error).message)
    }
    setBusy(false)
  }
  return (
    <form onSubmit={send}>
      {children}
      <footer>
        {error !== null && (
          <p class="problem" role="alert">
            {error}
          </p>
        )}
        <button type="submit" class={danger ? 'danger' : 'primary'} disabled={busy || disabled}>
          {busy ? '…' : does}
        </button>
      </footer>
    </form>
  )
}

interface DeleteProps {
  what: string
  name: string
  /** What is lost with it. */
  warning: string
  run: () => Promise<void>
  close: () => void
}

/** Deletes nothing before its name was typed. */
export function DeleteDialog({ what, name, warning, run, close }: DeleteProps) {
  const [typed, setTyped] = useState('')
  return (
    <Dialog title={`Delete ${what}`} close={close}>
      <Form
        does={`Delete ${what}`}
        danger
        disabled={typed !== name}
        run={async () => {
          await run()
          say(`${name} is deleted`)
        }}
      >
        <p>{warning}</p>
        <label>
          <span class="faint">
            Type <code>{name}</code> to go on
          </span>
          <input value={typed} autocomplete="off" onInput={event => setTyped(event.currentTarget.value)} />
        </label>
      </Form>
    </Dialog>
  )
}
