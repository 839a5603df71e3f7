import { board } from './board.ts'
import { lines, value } from './panels.ts'
import { quantileBy, quantiles } from './quantiles.ts'
import { CHOSEN } from './variables.ts'

const INGEST = `${CHOSEN}, stage="ingest"`

export const ingest = () =>
  board('ingest', 'ingest', 'Records to documents: how many, how old, what became of them, and where the time goes.', [
    [
      'Records',
      lines({
        title: 'Records read',
        tells: 'By topic.',
        unit: 'cps',
        queries: [[`sum by (topic) (rate(pm_records_consumed_total{${INGEST}}[$__rate_interval]))`, '{{topic}}']],
        stacked: true,
      }),
      lines({
        title: 'What became of them',
        tells: 'Each record once. Unchanged: older than what is stored, or equal to it.',
        unit: 'cps',
        queries: [[`sum by (outcome) (rate(pm_input_records_total{${CHOSEN}}[$__rate_interval]))`, '{{outcome}}']],
        stacked: true,
      }),
      lines({
        title: 'Age of records when their documents were written',
        tells:
          'Since Kafka wrote the record. 99.9 % within 10 s are promised. A rewind, or a start on an old topic, is late too.',
        unit: 's',
        queries: quantiles('pm_document_age_seconds', [0.5, 0.99, 0.999]),
        limit: 10,
      }),
      lines({
        title: 'Lag',
        tells: 'Records that wait, by topic.',
        unit: 'short',
        queries: [
          [
            `sum by (topic) (max by (job, topic, partition) (pm_consumer_lag_records{${CHOSEN}, group=~".*-ingest"}))`,
            '{{topic}}',
          ],
        ],
      }),
    ],
    [
      'Documents',
      lines({
        title: 'Writes',
        tells: 'Updates are several times as dear as inserts.',
        unit: 'cps',
        queries: [[`sum by (result) (rate(pm_documents_total{${CHOSEN}}[$__rate_interval]))`, '{{result}}']],
        stacked: true,
      }),
      lines({
        title: 'Observations sent',
        tells: 'To the status stage.',
        unit: 'cps',
        queries: [[`sum(rate(pm_observations_total{${CHOSEN}, result="sent"}[$__rate_interval]))`, 'sent']],
      }),
    ],
    [
      'Where the time goes',
      lines({
        title: 'Time of a step over a chunk',
        tells: 'p99. Read and write are MongoDB, send is Kafka, schemas is the registry, normalize our own work.',
        unit: 's',
        width: 8,
        queries: [quantileBy('step', 'pm_step_duration_seconds', 0.99, 'stage="ingest"')],
      }),
      lines({
        title: 'Share of time by step',
        tells: 'Seconds spent in each step a second; two chunks may be at work at once.',
        unit: 'short',
        width: 8,
        queries: [[`sum by (step) (rate(pm_step_duration_seconds_sum{${INGEST}}[$__rate_interval]))`, '{{step}}']],
        stacked: true,
      }),
      lines({
        title: 'Records in a chunk',
        tells: 'On average. Near CHUNK_RECORDS it is catching up.',
        unit: 'short',
        width: 8,
        queries: [
          [
            `sum by (job) (rate(pm_chunk_records_sum{${INGEST}}[$__rate_interval])) / sum by (job) (rate(pm_chunk_records_count{${INGEST}}[$__rate_interval]))`,
            '{{job}}',
          ],
        ],
      }),
    ],
    [
      'What should not be',
      value({
        title: 'Unaccounted records',
        tells: 'Read, and no outcome told, or two. Anything but 0 is wrong.',
        unit: 'short',
        width: 6,
        queries: [[`sum(instance:pm_records_unaccounted:sum{${CHOSEN}})`, '']],
        redFrom: 1,
      }),
      value({
        title: 'Partitions that stand still',
        tells: 'Records wait, and none was read for five minutes.',
        unit: 'short',
        width: 6,
        queries: [[`sum(job_topic:pm_partitions_stalled:count{${CHOSEN}}) or vector(0)`, '']],
        redFrom: 1,
      }),
      lines({
        title: 'Joined the group',
        tells: 'In five minutes. Some at each deployment; again and again is bad.',
        unit: 'short',
        queries: [[`sum by (instance) (increase(pm_rebalances_total{${INGEST}}[5m]))`, '{{instance}}']],
      }),
    ],
  ])
