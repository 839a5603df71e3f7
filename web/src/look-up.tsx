import { useState } from 'preact/hooks'
import { looksLikeCardNumber, mayBeCardNumber } from './card-text.ts'
import { hashOf, NO_SESSION_FILTERS } from './routes.ts'

interface LookUpProps {
  /** With what may be a card number: it must not get into an address. */
  onNumber: (number: string) => void
  /** Something else was looked up. */
  onOther: () => void
}

/** Takes the text out of a form's only field. */
function taken(event: SubmitEvent): string {
  event.preventDefault()
  const field = (event.currentTarget as HTMLFormElement).elements.namedItem('text') as HTMLInputElement
  const text = field.value.trim()
  field.value = ''
  if (text === '') field.focus()
  return text
}

export function LookUp({ onNumber, onOther }: LookUpProps) {
  const [doubtful, doubt] = useState<string | null>(null)

  function openSession(id: string): void {
    doubt(null)
    onOther()
    location.hash = hashOf({ view: 'session', id })
  }

  function bySession(event: SubmitEvent): void {
    const id = taken(event)
    if (id === '') return
    if (looksLikeCardNumber(id)) doubt(id)
    else openSession(id)
  }

  function openCard(card: string): void {
    doubt(null)
    if (mayBeCardNumber(card)) {
      onNumber(card)
    } else {
      onOther()
      location.hash = hashOf({ view: 'sessions', filters: { ...NO_SESSION_FILTERS, card } })
    }
  }

  function byCard(event: SubmitEvent): void {
    const card = taken(event)
    if (card !== '') openCard(card)
  }

  return (
    <section class="panel look-up" aria-label="Look up">
      <LookUpForm label="Session id" button="Open the session" onSubmit={bySession} />
      <LookUpForm
        label="Card token or number"
        button="Find by card"
        onSubmit={byCard}
        help="A number is sent in the body of one request, never in an address, and is cleared here."
      />
      {doubtful !== null && (
        <div class="note" role="alert">
          <p>
            <strong>That looks like a card number.</strong> As a session id it would stand in the address of this page.
          </p>
          <div class="note-actions">
            <button type="button" class="button button-main" onClick={() => openCard(doubtful)}>
              Look it up as a card
            </button>
            <button type="button" class="button" onClick={() => openSession(doubtful)}>
              It is a session id
            </button>
          </div>
        </div>
      )}
    </section>
  )
}

interface LookUpFormProps {
  label: string
  button: string
  onSubmit: (event: SubmitEvent) => void
  help?: string
}

function LookUpForm({ label, button, onSubmit, help }: LookUpFormProps) {
  return (
    <form class="look-up-form" onSubmit={onSubmit} aria-label={button}>
      <label class="field field-grow">
        <span>{label}</span>
        <input name="text" autocomplete="off" autocapitalize="off" spellcheck={false} />
      </label>
      <button type="submit" class="button">
        {button}
      </button>
      {help !== undefined && <p class="help">{help}</p>}
    </form>
  )
}
