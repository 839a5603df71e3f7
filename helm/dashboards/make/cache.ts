import { board } from './board.ts'
import { lines, value } from './panels.ts'
import { quantileBy } from './quantiles.ts'
import { CHOSEN } from './variables.ts'

const READS = `${CHOSEN}, route=~"/v1/.*"`

export const cache = () =>
  board('cache', 'cache and reads', 'The read side: requests, memory, MongoDB, the primary store, and live streams.', [
    [
      'Requests',
      lines({
        title: 'Requests by route',
        tells: 'But for streams.',
        unit: 'reqps',
        width: 8,
        queries: [
          [`sum by (route) (rate(pm_http_request_duration_seconds_count{${READS}}[$__rate_interval]))`, '{{route}}'],
        ],
        stacked: true,
      }),
      lines({
        title: 'Answers by status',
        tells: '4xx are the fault of who asks, 5xx are not.',
        unit: 'reqps',
        width: 8,
        queries: [
          [`sum by (status) (rate(pm_http_request_duration_seconds_count{${READS}}[$__rate_interval]))`, '{{status}}'],
        ],
        stacked: true,
      }),
      lines({
        title: 'Time to answer',
        tells: 'p99 by route. 99 % within 250 ms are promised.',
        unit: 's',
        width: 8,
        queries: [quantileBy('route', 'pm_http_request_duration_seconds', 0.99, 'route=~"/v1/.*"')],
        limit: 0.25,
      }),
    ],
    [
      'Memory',
      value({
        title: 'Answered from memory',
        tells: 'Of all look-ups.',
        unit: 'percentunit',
        decimals: 1,
        queries: [[`max(job:pm_cache_hits:ratio_rate5m{${CHOSEN}})`, '']],
      }),
      value({
        title: 'Answered stale',
        tells: 'Of all look-ups: a store did not answer, and what was kept was given, and said to be old.',
        unit: 'percentunit',
        decimals: 2,
        queries: [[`max(job:pm_cache_stale:ratio_rate5m{${CHOSEN}})`, '']],
        redFrom: 0.001,
      }),
      value({
        title: 'Memory in use',
        tells: 'By answers, about; at most SERVE_CACHE_MB in each process.',
        unit: 'bytes',
        queries: [[`sum(pm_cache_bytes{${CHOSEN}})`, '']],
      }),
      lines({
        title: 'Look-ups in memory',
        tells: 'Negative: known not to be there. Coalesced: waited for a load that was under way.',
        unit: 'cps',
        queries: [
          [
            `sum by (outcome) (rate(pm_cache_look_ups_total{${CHOSEN}, layer="memory"}[$__rate_interval]))`,
            '{{outcome}}',
          ],
        ],
        stacked: true,
      }),
      lines({
        title: 'Answers kept, and made room for others',
        tells: 'Many that make room, with few hits: SERVE_CACHE_MB is small.',
        unit: 'short',
        queries: [
          [`sum(pm_cache_entries{${CHOSEN}})`, 'kept'],
          [`sum(rate(pm_cache_evictions_total{${CHOSEN}}[$__rate_interval]))`, 'evicted a second'],
        ],
      }),
    ],
    [
      'Stores',
      lines({
        title: 'Questions to the stores',
        tells: 'An error is never taken for a miss.',
        unit: 'cps',
        queries: [
          [
            `sum by (layer, outcome) (rate(pm_cache_look_ups_total{${CHOSEN}, layer!="memory"}[$__rate_interval]))`,
            '{{layer}} {{outcome}}',
          ],
        ],
      }),
      lines({
        title: 'Time of the stores',
        tells: 'p99.',
        unit: 's',
        queries: [quantileBy('layer', 'pm_cache_load_duration_seconds', 0.99)],
      }),
      lines({
        title: 'Circuit breaker before the primary store',
        tells: 'The state it is in has 1. Nothing here: there is no primary store.',
        unit: 'short',
        width: 8,
        queries: [[`max by (instance, state) (pm_primary_state{${CHOSEN}})`, '{{state}} {{instance}}']],
      }),
      lines({
        title: 'Rows of the primary store that were left out',
        tells: 'They are no events, for the reason given.',
        unit: 'cps',
        width: 8,
        queries: [
          [`sum by (reason) (rate(pm_primary_rejected_rows_total{${CHOSEN}}[$__rate_interval]))`, '{{reason}}'],
        ],
      }),
      lines({
        title: 'Fills that failed',
        tells: 'The primary had it, it was shown, and it could not be merged into MongoDB.',
        unit: 'cps',
        width: 8,
        queries: [[`sum(rate(pm_fill_failures_total{${CHOSEN}}[$__rate_interval]))`, 'documents']],
      }),
    ],
    [
      'Live',
      lines({
        title: 'Listeners',
        tells: 'Clients of /v1/status-updates.',
        unit: 'short',
        width: 6,
        queries: [[`sum by (instance) (pm_stream_clients{${CHOSEN}})`, '{{instance}}']],
        stacked: true,
      }),
      lines({
        title: 'Listeners cut off',
        tells: 'In five minutes. Stopping and credentials are no fault.',
        unit: 'short',
        width: 6,
        queries: [[`sum by (reason) (increase(pm_stream_drops_total{${CHOSEN}}[5m]))`, '{{reason}}']],
      }),
      lines({
        title: 'Updates not shown yet',
        tells: 'How far the page and the streams are behind the status topic.',
        unit: 'short',
        width: 6,
        queries: [[`max by (instance) (pm_feed_lag_records{${CHOSEN}})`, '{{instance}}']],
      }),
      lines({
        title: 'Sessions',
        tells: 'Parked, or ended within a day.',
        unit: 'short',
        width: 6,
        queries: [[`max by (instance) (pm_board_sessions{${CHOSEN}})`, '{{instance}}']],
      }),
    ],
  ])
