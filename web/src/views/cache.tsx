import { useMemo } from 'preact/hooks'
import type { CacheReport } from '../../../src/contract/api.ts'
import { LayerTable } from '../cache-layers.tsx'
import { TimeChart } from '../charts.tsx'
import { bytes, count, percent, rate } from '../format.ts'
import { useStore } from '../hooks.ts'
import { At, Fact, Heading, Part } from '../parts.tsx'
import { cacheHistory, cacheReport, type Readiness, ready } from '../server.ts'
import type { Tone } from '../tone.ts'

/** How the cache does, and what it stands on. */
export function CacheView() {
  const report = useStore(cacheReport)
  const readiness = useStore(ready)
  return (
    <>
      <Heading>Cache</Heading>
      <Part shown={report} what="The cache report" room="view">
        {(data) => (
          <>
            <section class="panel figures" aria-label="How it does">
              <Charts report={data} />
            </section>
            <section class="panel" aria-labelledby="stands-title">
              <h2 id="stands-title">What it stands on</h2>
              <Standing report={data} />
            </section>
            <section aria-labelledby="layers-title">
              <div class="section-head">
                <h2 id="layers-title">Look-ups by layer</h2>
                <p class="quiet">since the process started</p>
              </div>
              <LayerTable report={data} />
            </section>
            <section class="panel" aria-labelledby="memory-title">
              <h2 id="memory-title">Memory</h2>
              <Memory report={data} />
            </section>
          </>
        )}
      </Part>
      <section aria-labelledby="ready-title">
        <div class="section-head">
          <h2 id="ready-title">Readiness</h2>
        </div>
        <Part shown={readiness} what="The readiness" room="line">
          {(data) => <Conditions conditions={data.conditions ?? {}} />}
        </Part>
      </section>
    </>
  )
}

function Charts({ report }: { report: CacheReport }) {
  const samples = useStore(cacheHistory.samples)
  const [times, ratios, rates] = useMemo(
    () => [samples.map((s) => s.at), samples.map((s) => s.hitRatio), samples.map((s) => s.lookUpsPerSecond)],
    [samples],
  )
  return (
    <>
      <p class="figure" data-testid="hit-ratio">
        <strong>{report.hit_ratio === null ? '–' : percent(report.hit_ratio)}</strong>
        <span>{report.hit_ratio === null ? 'nothing was looked up yet' : 'of look-ups answered from memory'}</span>
      </p>
      <TimeChart
        name="Answered from memory"
        times={times}
        values={ratios}
        format={percent}
        top={1}
        height={120}
        small
      />
      <TimeChart name="Look-ups a second" times={times} values={rates} format={rate} height={120} small />
    </>
  )
}

const BREAKER: Record<CacheReport['primary'], [Tone, string]> = {
  none: ['plain', 'none is set'],
  closed: ['going', 'closed: in use'],
  'half-open': ['soon', 'half-open: being tried'],
  open: ['wrong', 'open: not asked'],
}

function Standing({ report }: { report: CacheReport }) {
  const [tone, words] = BREAKER[report.primary]
  return (
    <dl class="facts facts-main">
      <Fact name="MongoDB">
        <UpOrDown state={report.mongodb} />
      </Fact>
      <Fact name="Kafka">
        <UpOrDown state={report.kafka} />
      </Fact>
      <Fact name="Breaker of the primary">
        <span class={`status tone-${tone}`}>{words}</span>
      </Fact>
      <Fact name="Behind the status topic">
        {report.lag === 0 ? 'nothing' : `${count(report.lag)} ${report.lag === 1 ? 'record' : 'records'}`}
      </Fact>
      <Fact name="Stream clients">{count(report.stream_clients)}</Fact>
    </dl>
  )
}

const UpOrDown = ({ state }: { state: 'up' | 'down' }) => (
  <span class={`status tone-${state === 'up' ? 'going' : 'wrong'}`}>{state}</span>
)

function Memory({ report }: { report: CacheReport }) {
  const { entries, bytes: used, most_bytes, evictions } = report
  const part = most_bytes > 0 ? Math.min(1, used / most_bytes) : 0
  return (
    <>
      <p class="meter-words" id="memory-words">
        <span>
          {bytes(used)} of {bytes(most_bytes)}
        </span>
        <span class="quiet">{percent(part)}</span>
      </p>
      <meter class="meter" aria-labelledby="memory-words" min={0} max={1} value={part} />
      <dl class="facts">
        <Fact name="Entries">{count(entries)}</Fact>
        <Fact name="Evictions">{count(evictions)}</Fact>
      </dl>
    </>
  )
}

function Conditions({ conditions }: { conditions: Readiness['conditions'] }) {
  const all = Object.entries(conditions)
  if (all.length === 0) return <p class="quiet">The server tells no conditions.</p>
  return (
    <table class="table">
      <caption class="sr-only">Conditions of readiness</caption>
      <thead>
        <tr>
          <th scope="col">Condition</th>
          <th scope="col">State</th>
          <th scope="col">Since</th>
          <th scope="col">Detail</th>
        </tr>
      </thead>
      <tbody>
        {all.map(([name, { ok, detail, since }]) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            <td>
              <span class={`status tone-${ok ? 'going' : 'wrong'}`}>{ok ? 'met' : 'not met'}</span>
            </td>
            <td>
              <At iso={since} />
            </td>
            <td class="breakable">{detail ?? '–'}</td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}
