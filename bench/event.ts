import { hash, uuid } from './hash.ts'

export interface TrafficRecord {
  /** The session id: Kafka's partitioner keeps a session's events in order. */
  key: string
  value: ParkingEvent
}

export interface ParkingEvent {
  event_id: string
  event_type: string
  card: string
  zone_id: string
  session_data: Record<string, unknown>
  timestamp: string
  status: string
  user_id: number
}

export interface Shape {
  /** Tells one run of records from another: other ids, other sessions. */
  seed: number
  /** Time of the first record, epoch milliseconds; one record a millisecond. */
  start: number
  /** About the size of a record in bytes. */
  bytes?: number
}

export const EVENTS = [
  { type: 'parking_start', status: 'on-going' },
  { type: 'payment_completed', status: 'completed' },
  { type: 'parking_extend', status: 'on-going' },
  { type: 'parking_stop', status: 'finished' },
] as const
/** Bytes of a record without notes. */
const BYTES = 500
/** Sessions open at a time. */
export const OPEN = 5_000
export const BLOCK = OPEN * EVENTS.length

/** Record `number`: the sessions of a block take turns, so that a session's events lie OPEN records apart. */
export function eventOf(shape: Shape, number: number): TrafficRecord {
  const within = number % BLOCK
  const step = EVENTS[Math.floor(within / OPEN)] as (typeof EVENTS)[number]
  const session = Math.floor(number / BLOCK) * OPEN + (within % OPEN)
  const draw = hash(shape.seed, session)
  const start = shape.start + session
  const id = `IC${String(1e13 + draw * 1_000 + (session % 1_000)).slice(-14)}N`
  const minutes = 15 * (1 + (draw % 16))
  const value: ParkingEvent = {
    event_id: uuid(shape.seed, number),
    event_type: step.type,
    card: `4${String(1e5 + (draw % 50) * 211).slice(-5)}------${String(1e4 + (draw % 9_973)).slice(-4)}`,
    zone_id: `9539${String(1e8 + (draw % 400) * 7_919).slice(-8)}`,
    session_data: {
      session_id: id,
      start_time: iso(start),
      end_time: iso(start + minutes * 60_000),
      license_plate: plate(draw),
      duration_minutes: minutes,
      amount: (minutes * (25 + (draw % 24))) / 100,
      currency: 'USD',
      coordinates: { latitude: 33.6 + (draw % 500) / 1_000, longitude: -84.6 + (draw % 500) / 1_000 },
      ...(shape.bytes !== undefined && shape.bytes > BYTES && { notes: notes(shape.bytes - BYTES) }),
    },
    timestamp: iso(shape.start + number),
    status: step.status,
    user_id: 1_000_000 + (draw % 9_000_000),
  }
  return { key: id, value }
}

/** The same session and content under another id, type and time. */
export function renewed({ key, value }: TrafficRecord, id: string, type: string, at: number): TrafficRecord {
  return { key, value: { ...value, event_id: id, event_type: type, status: statusOf(type), timestamp: iso(at) } }
}

const statusOf = (type: string) => EVENTS.find((event) => event.type === type)?.status ?? 'on-going'
const iso = (time: number) => new Date(time).toISOString()
const LETTERS = 'ABCDEFGHJKLMNPRSTUVWXYZ'
const letter = (draw: number) => LETTERS[draw % LETTERS.length] ?? 'A'
const plate = (draw: number) => `${letter(draw)}${letter(draw >> 5)}${letter(draw >> 10)}${1_000 + (draw % 9_000)}`

/** A list of small objects, as the lists of prices and durations of real bodies are. */
function notes(bytes: number): object[] {
  const one = { code: 'P30', minutes: 30, price: 2.75, text: 'Parking until the end of the time bought' }
  return Array.from({ length: Math.max(1, Math.round(bytes / (JSON.stringify(one).length + 1))) }, () => one)
}
