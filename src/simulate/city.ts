import type { Random } from './random.ts'

/** Somebody who parks: who pays, and for which car. */
export interface Driver {
  card: string | null | undefined
  userId: number | null | undefined
  plate: string
}

export interface Zone {
  id: string
  /** Price of an hour, in cents. */
  hourly: number
  currency: string
  at: { latitude: number; longitude: number }
}

/** The streets of a seed: some hundred zones, each used the more the lower its number. */
export interface City {
  zone(): Zone
  driver(): Driver
}

/** Test numbers that card networks publish; nobody's card. */
const TEST_CARDS = [
  '4111111111111111',
  '5555555555554444',
  '378282246310005',
  '4242 4242 4242 4242',
  '5105-1051-0510-5100',
] as const

export function createCity(random: Random): City {
  const zones = Array.from({ length: 400 }, (_, number) => newZone(random, number))
  const first = zones[0] as Zone
  return {
    zone: () => zones[Math.floor(random.next() ** 2 * zones.length)] ?? first,
    driver: () => ({ card: newCard(random), userId: newUser(random), plate: newPlate(random) }),
  }
}

function newZone(random: Random, number: number): Zone {
  const id = number % 5 === 4 ? random.digits(5) : `9539${random.digits(8)}`
  const nowhere = random.chance(0.03)
  return {
    id,
    hourly: 25 * random.int(2, 24),
    currency: random.pick(['USD', 'USD', 'USD', 'EUR']),
    at: nowhere
      ? { latitude: 0, longitude: 0 }
      : { latitude: random.int(33_600, 34_100) / 1000, longitude: -random.int(84_100, 84_600) / 1000 },
  }
}

/** Mostly opaque references and masks, now and then a raw (test) number, or none. */
function newCard(random: Random): string | null | undefined {
  const draw = random.next()
  if (draw < 0.55) return `card_${random.hex(16)}`
  if (draw < 0.9) {
    const mask = random.pick(['------', '******', 'XXXXXX'])
    return `${random.pick(['411111', '555555', '400000', '542523'])}${mask}${random.digits(4)}`
  }
  if (draw < 0.95) return random.pick(TEST_CARDS)
  return draw < 0.98 ? undefined : null
}

function newUser(random: Random): number | null | undefined {
  const draw = random.next()
  if (draw < 0.3) return random.int(10_000, 9_999_999)
  return draw < 0.32 ? null : undefined
}

function newPlate(random: Random): string {
  const letter = () => String.fromCharCode(random.int(65, 90))
  return `${letter()}${letter()}${letter()}${random.digits(4)}`
}
