import { board } from './board.ts'
import { lines, value } from './panels.ts'
import { quantiles } from './quantiles.ts'
import { CHOSEN } from './variables.ts'

const STATUS = `${CHOSEN}, stage="status"`

export const status = () =>
  board('status', 'status', 'Observations to status updates: lanes, heads, and how old an update is.', [
    [
      'Updates',
      lines({
        title: 'Updates committed',
        tells: 'Changed: the status is another one; confirmed: the same, as with an extension.',
        unit: 'cps',
        queries: [[`sum by (type) (rate(pm_status_updates_total{${CHOSEN}}[$__rate_interval]))`, '{{type}}']],
        stacked: true,
      }),
      lines({
        title: 'Observations',
        tells: 'What became of them. Older: not newer than what is known, as repeated ones are.',
        unit: 'cps',
        queries: [
          [`sum by (result) (rate(pm_observations_total{${CHOSEN}, result!="sent"}[$__rate_interval]))`, '{{result}}'],
        ],
        stacked: true,
      }),
      lines({
        title: 'Age of records when their updates were committed',
        tells: 'Since Kafka wrote the record that the update tells of. 99.9 % within 10 s are promised.',
        unit: 's',
        queries: quantiles('pm_update_age_seconds', [0.5, 0.99, 0.999]),
        limit: 10,
      }),
      lines({
        title: 'Lag',
        tells: 'Packs of observations that wait. Each has many observations.',
        unit: 'short',
        queries: [
          [
            `sum by (topic) (max by (job, topic, partition) (pm_consumer_lag_records{${CHOSEN}, group=~".*-status"}))`,
            '{{topic}}',
          ],
        ],
      }),
      lines({
        title: 'Time of a transaction',
        tells: 'Of one chunk.',
        unit: 's',
        queries: quantiles('pm_step_duration_seconds', [0.5, 0.99], 'stage="status", step="publish"'),
      }),
      lines({
        title: 'Observations in a transaction',
        tells: 'On average.',
        unit: 'short',
        queries: [
          [
            `sum by (job) (rate(pm_chunk_records_sum{${STATUS}}[$__rate_interval])) / sum by (job) (rate(pm_chunk_records_count{${STATUS}}[$__rate_interval]))`,
            '{{job}}',
          ],
        ],
      }),
    ],
    [
      'Lanes',
      value({
        title: 'Lanes that run',
        tells: 'As many as the status topic has partitions, when all is well.',
        unit: 'short',
        queries: [[`sum(pm_lanes{${CHOSEN}, state="running"})`, '']],
      }),
      value({
        title: 'Lanes that do not',
        tells: 'Opening, restoring, or failed: their sessions get no updates.',
        unit: 'short',
        queries: [[`sum(pm_lanes{${CHOSEN}, state!="running"})`, '']],
        redFrom: 1,
      }),
      value({
        title: 'Still to restore',
        tells: 'Status records that lanes must read until they run.',
        unit: 'short',
        queries: [[`sum(pm_restore_left_records{${CHOSEN}})`, '']],
      }),
      lines({
        title: 'Lanes by state',
        tells: 'A lane that is long not running is stuck.',
        unit: 'short',
        queries: [[`sum by (state) (pm_lanes{${CHOSEN}})`, '{{state}}']],
        stacked: true,
      }),
      lines({
        title: 'Restore',
        tells: 'Status records read a second.',
        unit: 'cps',
        width: 8,
        queries: [[`sum(rate(pm_restored_records_total{${CHOSEN}}[$__rate_interval]))`, 'records']],
      }),
      lines({
        title: 'Time to restore a lane',
        tells: 'On average, of those that were restored within the hour before.',
        unit: 's',
        width: 8,
        queries: [
          [
            `sum by (job) (increase(pm_restore_duration_seconds_sum{${CHOSEN}}[1h])) / sum by (job) (increase(pm_restore_duration_seconds_count{${CHOSEN}}[1h]) > 0)`,
            '{{job}}',
          ],
        ],
      }),
      lines({
        title: 'Joined the group',
        tells: 'In five minutes. Again and again: two deployments may write to one status topic, and fence each other.',
        unit: 'short',
        width: 8,
        queries: [[`sum by (instance) (increase(pm_rebalances_total{${STATUS}}[5m]))`, '{{instance}}']],
      }),
    ],
    [
      'Heads',
      lines({
        title: 'Keys with a head',
        tells: 'Sessions whose state is known. Without STATE_DIR they are in memory.',
        unit: 'short',
        width: 8,
        queries: [[`sum by (instance) (pm_heads{${CHOSEN}})`, '{{instance}}']],
        stacked: true,
      }),
      lines({
        title: 'Keys that ended',
        tells: 'After their retention, a second.',
        unit: 'cps',
        width: 8,
        queries: [[`sum(rate(pm_heads_expired_total{${CHOSEN}}[$__rate_interval]))`, 'ended']],
      }),
      lines({
        title: 'Memory',
        tells: 'Resident, of processes with lanes.',
        unit: 'bytes',
        width: 8,
        queries: [[`process_resident_memory_bytes{${CHOSEN}} and on (job, instance) pm_heads`, '{{instance}}']],
      }),
    ],
  ])
