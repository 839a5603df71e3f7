import type { Kind } from '../../src/contract/document.ts'
import { hashOf, KINDS, type LiveFilters, NO_LIVE_FILTERS } from './routes.ts'

/** Filters stand in the address, so that a filtered feed can be linked to. The server does the filtering. */
export function LiveFilterForm({ filters }: { filters: LiveFilters }) {
  function apply(form: HTMLFormElement): void {
    const given = new FormData(form)
    const text = (name: string) => String(given.get(name) ?? '').trim()
    const next: LiveFilters = {
      zone: text('zone'),
      session: text('session'),
      kind: text('kind') as Kind | '',
      all: given.get('changes') === null,
    }
    // No entry in the history for each filter that was tried.
    location.replace(hashOf({ view: 'live', filters: next }))
  }

  function submit(event: SubmitEvent): void {
    event.preventDefault()
    apply(event.currentTarget as HTMLFormElement)
  }

  const pick = (event: Event & { currentTarget: HTMLInputElement | HTMLSelectElement }) => {
    if (event.currentTarget.form) apply(event.currentTarget.form)
  }
  const filtered = filters.zone !== '' || filters.session !== '' || filters.kind !== '' || filters.all
  return (
    <form class="toolbar" onSubmit={submit} aria-label="Filter the updates">
      <label class="field">
        <span>Zone</span>
        <input name="zone" defaultValue={filters.zone} autocomplete="off" spellcheck={false} />
      </label>
      <label class="field">
        <span>Session</span>
        <input name="session" defaultValue={filters.session} autocomplete="off" spellcheck={false} />
      </label>
      <label class="field">
        <span>Kind</span>
        <select name="kind" onChange={pick}>
          <option value="" selected={filters.kind === ''}>
            any
          </option>
          {KINDS.map((kind) => (
            <option key={kind} value={kind} selected={filters.kind === kind}>
              {kind}
            </option>
          ))}
        </select>
      </label>
      <label class="check">
        <input type="checkbox" name="changes" defaultChecked={!filters.all} onChange={pick} />
        <span>Only changes</span>
      </label>
      <button type="submit" class="button">
        Filter
      </button>
      {filtered && <a href={hashOf({ view: 'live', filters: NO_LIVE_FILTERS })}>No filters</a>}
    </form>
  )
}
