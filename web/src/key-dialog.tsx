import { useEffect, useRef, useState } from 'preact/hooks'
import { useStore } from './hooks.ts'
import { api, key } from './server.ts'
import { createStore } from './store.ts'

/** Whether the dialog is open. It opens by itself when the server wants a key, and stays away once it was dismissed. */
export const keyDialog = createStore(false)
api.keyNeeded.watch(() => {
  if (api.keyNeeded.get() !== null) keyDialog.set(true)
})

/** What a header can carry. */
const SENDABLE = /^[\x21-\x7e]+$/

export function KeyDialog() {
  const open = useStore(keyDialog)
  const needed = useStore(api.keyNeeded)
  const dialog = useRef<HTMLDialogElement>(null)
  const [fault, setFault] = useState('')

  useEffect(() => {
    if (open && !dialog.current?.open) dialog.current?.showModal()
    if (!open) dialog.current?.close()
  }, [open])

  function submit(event: SubmitEvent): void {
    event.preventDefault()
    const form = event.currentTarget as HTMLFormElement
    const field = form.elements.namedItem('key') as HTMLInputElement
    const given = field.value.trim()
    if (!SENDABLE.test(given)) {
      setFault('A key is one word of letters, digits and signs.')
      return
    }
    form.reset()
    setFault('')
    keyDialog.set(false)
    // The same key once more must try once more, too.
    if (key.get() === given) key.set(null)
    key.set(given)
  }

  const message = fault || (needed === 'refused' ? 'The server refused this key.' : '')
  return (
    <dialog ref={dialog} class="dialog" aria-labelledby="key-title" onClose={() => keyDialog.set(false)}>
      <form onSubmit={submit}>
        <h2 id="key-title">This server asks for an API key</h2>
        <p id="key-help">It is kept for this tab only, and forgotten when the tab is closed.</p>
        <label class="field">
          <span>API key</span>
          <input
            name="key"
            type="password"
            autocomplete="off"
            spellcheck={false}
            aria-describedby="key-fault key-help"
            aria-invalid={message !== ''}
          />
        </label>
        <p id="key-fault" class="fault" role="alert">
          {message}
        </p>
        <div class="dialog-actions">
          <button type="button" class="button" onClick={() => keyDialog.set(false)}>
            Not now
          </button>
          <button type="submit" class="button button-main">
            Use this key
          </button>
        </div>
      </form>
    </dialog>
  )
}
