import { board } from './board.ts'
import { lines, table, value } from './panels.ts'
import { CHOSEN } from './variables.ts'

/** How much of an objective's budget is left, if three days are like thirty. */
const left = (errors: string, budget: number) =>
  `clamp_min(1 - max(job:${errors}:ratio_rate3d{${CHOSEN}}) / ${budget}, 0)`
const kept = (errors: string) => `1 - max(job:${errors}:ratio_rate1h{${CHOSEN}})`
const level = (title: string, promise: string, errors: string, budget: number) => [
  value({
    ...{ title, unit: 'percentunit', decimals: 2, width: 6, redBelow: 1 - budget },
    tells: `${promise} The part that was so within the last hour; red below what is promised.`,
    queries: [[kept(errors), '']],
  }),
]

export const overview = () =>
  board('overview', 'overview', 'Whether all is well, and where to look if it is not.', [
    [
      'Service levels',
      ...level(
        'Documents in time',
        '99.9 % of records have their document within 10 seconds.',
        'pm_documents_late',
        0.001,
      ),
      ...level('Updates in time', '99.9 % of records have their update within 10 seconds.', 'pm_updates_late', 0.001),
      ...level('Reads answered', '99.9 % of requests are answered.', 'pm_reads_failing', 0.001),
      ...level('Reads in time', '99 % of requests are answered within 250 ms.', 'pm_reads_slow', 0.01),
      lines({
        title: 'Budget left',
        tells: 'If the last three days are like the whole month. At 0 % the service level is broken.',
        unit: 'percentunit',
        queries: [
          [left('pm_documents_late', 0.001), 'documents'],
          [left('pm_updates_late', 0.001), 'updates'],
          [left('pm_reads_failing', 0.001), 'reads answered'],
          [left('pm_reads_slow', 0.01), 'reads in time'],
        ],
      }),
      table({
        title: 'Alerts that fire or are about to',
        tells: 'Each has a page under docs/runbooks.',
        unit: 'short',
        queries: [[`max by (alertname, severity, alertstate, job) (ALERTS{alertname=~"Parking.*"})`, '']],
      }),
    ],
    [
      'Now',
      value({
        title: 'Ready',
        tells: 'Processes whose /readyz says so.',
        unit: 'short',
        queries: [[`sum(pm_ready{${CHOSEN}})`, '']],
        redBelow: 1,
      }),
      value({
        title: 'Not ready',
        tells: 'Processes that wait for something, or failed.',
        unit: 'short',
        queries: [[`count(pm_ready{${CHOSEN}}) - sum(pm_ready{${CHOSEN}})`, '']],
        redFrom: 1,
      }),
      value({
        title: 'Waiting records',
        tells: 'Lag of both stages together.',
        unit: 'short',
        queries: [[`sum(job_stage:pm_consumer_lag_records:sum{${CHOSEN}})`, '']],
      }),
      value({
        title: 'Unaccounted records',
        tells: 'Records that were read and whose outcome was not told. Anything but 0 is wrong.',
        unit: 'short',
        queries: [[`sum(instance:pm_records_unaccounted:sum{${CHOSEN}})`, '']],
        redFrom: 1,
      }),
      value({
        title: 'Dead letters',
        tells: 'Of the records of the last 30 minutes.',
        unit: 'percentunit',
        decimals: 2,
        queries: [[`max(job:pm_dead_letters:ratio_rate30m{${CHOSEN}})`, '']],
        redFrom: 0.01,
      }),
      value({
        title: 'Answered from memory',
        tells: 'Of the look-ups of the read side.',
        unit: 'percentunit',
        decimals: 1,
        queries: [[`max(job:pm_cache_hits:ratio_rate5m{${CHOSEN}})`, '']],
      }),
      lines({
        title: 'Records and updates',
        tells: 'What goes in, and what comes out.',
        unit: 'cps',
        queries: [
          [`sum(rate(pm_records_consumed_total{${CHOSEN}, stage="ingest"}[$__rate_interval]))`, 'records read'],
          [`sum(rate(pm_documents_total{${CHOSEN}, result!="unchanged"}[$__rate_interval]))`, 'documents written'],
          [`sum(rate(pm_status_updates_total{${CHOSEN}}[$__rate_interval]))`, 'updates'],
          [`sum(rate(pm_dead_letters_total{${CHOSEN}}[$__rate_interval]))`, 'dead letters'],
        ],
      }),
      lines({
        title: 'Lag',
        tells: 'Records that wait, and packs of observations that wait. Growing is bad.',
        unit: 'short',
        queries: [[`job_stage:pm_consumer_lag_records:sum{${CHOSEN}}`, '{{stage}} {{job}}']],
      }),
      lines({
        title: 'Requests',
        tells: 'To the read side, by kind of answer.',
        unit: 'reqps',
        queries: [
          [
            `sum by (class) (label_replace(rate(pm_http_request_duration_seconds_count{${CHOSEN}, route=~"/v1/.*"}[$__rate_interval]), "class", "$1xx", "status", "(.).."))`,
            '{{class}}',
          ],
        ],
        stacked: true,
      }),
      lines({
        title: 'Dependencies',
        tells: '1 while it answers, 0 while it is waited for.',
        unit: 'short',
        queries: [[`min by (dependency, job) (pm_dependency_up{${CHOSEN}})`, '{{dependency}} for {{job}}']],
      }),
    ],
    [
      'Processes',
      lines({
        title: 'Memory',
        tells: 'Resident, of what the process may take. From 90 % on it is in danger.',
        unit: 'percentunit',
        width: 8,
        queries: [
          [`process_resident_memory_bytes{${CHOSEN}} / pm_memory_limit_bytes{${CHOSEN}}`, '{{instance}} {{job}}'],
        ],
        limit: 0.9,
      }),
      lines({
        title: 'Processor time',
        tells: 'Processors in use. One thread does nearly all of the work: at 1 it is at its end.',
        unit: 'short',
        width: 8,
        queries: [
          [
            `rate(process_cpu_seconds_total{${CHOSEN}}[$__rate_interval]) and on (job, instance) pm_build_info`,
            '{{instance}} {{job}}',
          ],
        ],
      }),
      lines({
        title: 'Event-loop lag',
        tells: 'p99. It is looked at every 100 ms, which the value includes.',
        unit: 's',
        width: 8,
        queries: [
          [`nodejs_eventloop_lag_p99_seconds{${CHOSEN}} and on (job, instance) pm_build_info`, '{{instance}} {{job}}'],
        ],
      }),
      table({
        title: 'Versions',
        tells: 'What runs.',
        unit: 'short',
        queries: [[`count by (job, version) (pm_build_info{${CHOSEN}})`, '']],
      }),
      lines({
        title: 'Starts',
        tells: 'How long each process has run. A saw-tooth is one that starts again and again.',
        unit: 's',
        queries: [
          [
            `time() - process_start_time_seconds{${CHOSEN}} and on (job, instance) pm_build_info`,
            '{{instance}} {{job}}',
          ],
        ],
      }),
    ],
  ])
