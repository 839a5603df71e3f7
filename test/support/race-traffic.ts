import { quietKafka } from '../../local/quiet-kafka.ts'
import { cardToken } from '../../src/contract/card-token.ts'
import { createRandom } from '../../src/simulate/random.ts'
import { sendAll } from '../../src/stream/send.ts'
import type { RunNames } from './run-names.ts'

/** Records of few events, for readers to race: of what sessions and cards they are, and which of them may go. */
export const EVENTS = 240
export const SESSIONS = 40
const CARDS = 8
/** Key of the card tokens. */
export const TOKEN_KEY = 'a key of tokens'

export const idOf = (i: number) => `race-${i}`
export const sessionOf = (i: number) => `session-${i % SESSIONS}`
export const cardOf = (i: number) => i % CARDS
/** As documents have them. */
export const tokens = Array.from({ length: CARDS }, (_, i) => cardToken(TOKEN_KEY, numberOf(i)))
/** Events whose last digit is 0 are invalidated now and then, and so leave their lists; all others stay. */
export const stays = (id: string) => !id.endsWith('0')

/** Records that are new, newer, late, of errors, and null values: each call gives the next ones. */
export async function openRaceTraffic(brokers: string, names: RunNames, seed: string) {
  const producer = quietKafka(brokers, 'race').producer({ allowAutoTopicCreation: false })
  await producer.connect()
  const random = createRandom(seed)
  const start = Date.now() - 3_600_000
  let sent = 0

  function recordOf(n: number) {
    // At first few, later all: so some are asked for before they are there.
    const i = random.int(0, Math.min(EVENTS - 1, 40 + Math.floor(n / 25)))
    const id = idOf(i)
    const late = random.int(0, 4) === 0 ? random.int(1, 2_000) : 0
    const at = start + (n - late) * 500
    const isResponse = random.int(0, 3) === 0
    const partition = random.int(0, 3)
    if (!stays(id) && random.int(0, 5) === 0) return { isResponse: false, partition, key: id, value: null }
    const common = { event_id: id, card: numberOf(cardOf(i)), timestamp: at }
    const session = { session_id: sessionOf(i), start_time: start, end_time: start + 7_200_000 }
    const value = isResponse
      ? { ...common, http_status: random.int(0, 2) === 0 ? 500 : 200, response: { ...session, n } }
      : { ...common, event_type: 'parking_extend', zone_id: '10001', session_data: session, status: 'success', n }
    return { isResponse, partition, key: id, value: JSON.stringify(value) }
  }

  return {
    async send(count: number): Promise<void> {
      const records = Array.from({ length: count }, () => recordOf(sent++))
      const [events, responses] = [false, true].map((is) => records.filter(({ isResponse }) => isResponse === is))
      await Promise.all([
        sendAll(producer, names.EVENTS_TOPICS, events ?? []),
        sendAll(producer, names.RESPONSES_TOPICS, responses ?? []),
      ])
    },
    [Symbol.asyncDispose]: () => producer.disconnect(),
  }
}

/** A test number of Visa, with its check digit. */
function numberOf(i: number): string {
  const digits = `41111111111${String(i).padStart(4, '0')}`
  const sum = [...digits].reduce((s, digit, at) => {
    const doubled = Number(digit) * (at % 2 === 0 ? 2 : 1)
    return s + (doubled > 9 ? doubled - 9 : doubled)
  }, 0)
  return digits + String((10 - (sum % 10)) % 10)
}
