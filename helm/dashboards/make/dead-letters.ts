import { board } from './board.ts'
import { lines, table, value } from './panels.ts'
import { CHOSEN } from './variables.ts'

export const deadLetters = () =>
  board('dead-letters', 'dead letters', 'What could not be taken, and why. `dead-letters list` shows each of them.', [
    [
      'How many',
      value({
        title: 'In this time',
        tells: 'Dead letters in the time that is shown.',
        unit: 'short',
        decimals: 0,
        width: 6,
        queries: [[`sum(increase(pm_dead_letters_total{${CHOSEN}}[$__range]))`, '']],
      }),
      value({
        title: 'Of the records',
        tells: 'Within the last 30 minutes. From 1 % on there is an alert.',
        unit: 'percentunit',
        decimals: 2,
        width: 6,
        queries: [[`max(job:pm_dead_letters:ratio_rate30m{${CHOSEN}})`, '']],
        redFrom: 0.01,
      }),
      value({
        title: 'Not the fault of a producer',
        tells: 'MongoDB refused them, or the program failed on them, or it does not know the registry.',
        unit: 'short',
        decimals: 0,
        width: 6,
        queries: [
          [
            `sum(increase(pm_dead_letters_total{${CHOSEN}, reason=~"unstorable|unexpected|invalid_observation|no_registry"}[$__range]))`,
            '',
          ],
        ],
        redFrom: 1,
      }),
      value({
        title: 'Unknown words',
        tells:
          'Status words and event types that are in no table, in the time that is shown. These records were taken.',
        unit: 'short',
        decimals: 0,
        width: 6,
        queries: [[`sum(increase(pm_unknown_words_total{${CHOSEN}}[$__range]))`, '']],
      }),
    ],
    [
      'Why',
      lines({
        title: 'By reason',
        tells: 'Those that there were.',
        unit: 'cps',
        queries: [[`sum by (reason) (rate(pm_dead_letters_total{${CHOSEN}}[$__rate_interval])) > 0`, '{{reason}}']],
        stacked: true,
      }),
      table({
        title: 'By reason, in this time',
        tells: 'The reasons are a closed list: src/contract/dead-letter.ts.',
        unit: 'short',
        queries: [[`round(sum by (reason) (increase(pm_dead_letters_total{${CHOSEN}}[$__range]))) > 0`, '']],
      }),
    ],
    [
      'Where from',
      lines({
        title: 'By topic',
        tells: 'Which input they came from.',
        unit: 'cps',
        queries: [
          [
            `sum by (topic) (rate(pm_input_records_total{${CHOSEN}, outcome="dead_letter"}[$__rate_interval]))`,
            '{{topic}}',
          ],
        ],
      }),
      lines({
        title: 'Unknown words',
        tells: 'By field.',
        unit: 'cps',
        queries: [[`sum by (field) (rate(pm_unknown_words_total{${CHOSEN}}[$__rate_interval]))`, '{{field}}']],
      }),
    ],
  ])
