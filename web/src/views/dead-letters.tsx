import { useState } from 'preact/hooks'
import type { DeadLetterReport } from '../../../src/contract/api.ts'
import { count, percent } from '../format.ts'
import { useGet } from '../hooks.ts'
import { At, Empty, Heading, Part } from '../parts.tsx'

/** What could not be taken, by why. */
export function DeadLettersView() {
  const report = useGet<DeadLetterReport>('v1/dead-letters', 5_000)
  return (
    <>
      <Heading>Dead letters</Heading>
      <Part shown={report} what="The dead letters" room="table">
        {(data) => (data.total === 0 ? <None /> : <Letters report={data} />)}
      </Part>
    </>
  )
}

const None = () => (
  <Empty title="No dead letters">
    <p>Every record could be taken.</p>
  </Empty>
)

function Letters({ report }: { report: DeadLetterReport }) {
  const [reason, pick] = useState<string | null>(null)
  const newest = reason === null ? report.newest : report.newest.filter((letter) => letter.reason === reason)
  return (
    <>
      <section class="panel letters" aria-labelledby="reasons-title">
        <p class="figure" data-testid="dead-letters">
          <strong>{count(report.total)}</strong>
          <span>{report.total === 1 ? 'record' : 'records'} that could not be taken</span>
        </p>
        <div>
          <h2 id="reasons-title">By reason</h2>
          <Reasons report={report} reason={reason} onPick={pick} />
        </div>
      </section>
      <section aria-labelledby="newest-title">
        <div class="section-head">
          <h2 id="newest-title">The newest{reason !== null && ` of ${reason}`}</h2>
          <p class="quiet">
            <code>npx pm-parking-events dead-letters</code>
          </p>
        </div>
        {newest.length === 0 ? <Empty title="None of the newest has this reason" /> : <Newest letters={newest} />}
      </section>
    </>
  )
}

interface ReasonsProps {
  report: DeadLetterReport
  reason: string | null
  onPick: (reason: string | null) => void
}

function Reasons({ report, reason, onPick }: ReasonsProps) {
  const reasons = Object.entries(report.by_reason).sort(([a, n], [b, m]) => m - n || a.localeCompare(b))
  const most = reasons[0]?.[1] ?? 1
  return (
    <table class="table reasons">
      <caption class="sr-only">Dead letters by reason</caption>
      <thead>
        <tr>
          <th scope="col">Reason</th>
          <th scope="col" class="number">
            Letters
          </th>
          <th scope="col" class="number">
            Share
          </th>
          <th scope="col" class="wide">
            <span class="sr-only">Bar</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {reasons.map(([name, n]) => (
          <tr key={name}>
            <th scope="row">
              <button
                type="button"
                class="link"
                aria-pressed={name === reason}
                title="Show only the newest of this reason"
                onClick={() => onPick(name === reason ? null : name)}
              >
                {name}
              </button>
            </th>
            <td class="number">{count(n)}</td>
            <td class="number">{percent(report.total > 0 ? n / report.total : 0)}</td>
            <td class="wide reason-bar">
              <span class="bar" aria-hidden="true">
                <span class="bar-part" style={{ width: `${(100 * n) / most}%` }} />
              </span>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

function Newest({ letters }: { letters: DeadLetterReport['newest'] }) {
  return (
    <table class="table newest">
      <caption class="sr-only">The newest dead letters</caption>
      <thead>
        <tr>
          <th scope="col">When</th>
          <th scope="col">Reason</th>
          <th scope="col">Message</th>
          <th scope="col" class="wide">
            Source
          </th>
        </tr>
      </thead>
      <tbody>
        {letters.map(({ at, reason, message, source }) => (
          <tr key={source}>
            <td>
              <At iso={at} />
            </td>
            <td>{reason}</td>
            <td class="breakable">{message}</td>
            <td class="wide breakable">{source}</td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}
