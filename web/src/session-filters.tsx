import { hashOf, NO_SESSION_FILTERS, type SessionFilters } from './routes.ts'

const WORDS = ['on-going', 'alerted', 'finished', 'expired', 'cancelled']

/** Filters of the latest sessions; they stand in the address. */
export function SessionFilterForm({ filters }: { filters: SessionFilters }) {
  function apply(form: HTMLFormElement): void {
    const given = new FormData(form)
    const text = (name: string) => String(given.get(name) ?? '').trim()
    const next = { ...NO_SESSION_FILTERS, zone: text('zone'), status: text('status') }
    location.replace(hashOf({ view: 'sessions', filters: next }))
  }

  function submit(event: SubmitEvent): void {
    event.preventDefault()
    apply(event.currentTarget as HTMLFormElement)
  }

  // A link may ask for a word that is not in the list.
  const words = filters.status === '' || WORDS.includes(filters.status) ? WORDS : [...WORDS, filters.status]
  return (
    <form class="toolbar" onSubmit={submit} aria-label="Filter the sessions">
      <label class="field">
        <span>Zone</span>
        <input name="zone" defaultValue={filters.zone} autocomplete="off" spellcheck={false} />
      </label>
      <label class="field">
        <span>Status</span>
        <select name="status" onChange={(event) => event.currentTarget.form && apply(event.currentTarget.form)}>
          <option value="" selected={filters.status === ''}>
            any
          </option>
          {words.map((word) => (
            <option key={word} value={word} selected={word === filters.status}>
              {word}
            </option>
          ))}
        </select>
      </label>
      <button type="submit" class="button">
        Filter
      </button>
      {(filters.zone !== '' || filters.status !== '') && <a href="#/sessions">No filters</a>}
    </form>
  )
}
