import { Faulty } from './faulty.ts'
import { Decimal, isFields, type Value } from './input.ts'

/**
 * JSON by the letter of RFC 8259, one character after the other, and numbers that keep their value: a parser that shares
 * nothing with JSON.parse. Of equal keys the last wins, in the place of the first.
 * @throws Faulty with the reason for a dead letter
 */
export function parseText(text: string): Value {
  const parser = new Parser(text)
  const value = parser.value(0)
  parser.end()
  if (holds(value, (leaf) => leaf === OUT_OF_RANGE)) throw new Faulty('number_out_of_range')
  if (holds(value, (leaf) => typeof leaf === 'string' && !leaf.isWellFormed())) throw new Faulty('ill_formed_text')
  return value
}

const OUT_OF_RANGE = new Decimal('out of range')

/** Whether a key or value that was not replaced by an equal key is such. */
function holds(value: Value, isSuch: (leaf: Value) => boolean): boolean {
  if (Array.isArray(value)) return value.some((item) => holds(item, isSuch))
  if (!isFields(value)) return isSuch(value)
  return Object.entries(value).some(([key, item]) => isSuch(key) || holds(item, isSuch))
}

/** So deep that a dead letter is right whatever else the text holds. */
const MUCH_TOO_DEEP = 2_000

class Parser {
  private at = 0
  private readonly text: string

  constructor(text: string) {
    this.text = text
  }

  value(depth: number): Value {
    if (depth > MUCH_TOO_DEEP) throw new Faulty(this.isClosed() ? 'too_deep' : 'invalid_json')
    this.blanks()
    const next = this.text[this.at]
    if (next === '{') return this.object(depth)
    if (next === '[') return this.array(depth)
    if (next === '"') return this.string()
    for (const [word, value] of [
      ['true', true],
      ['false', false],
      ['null', null],
    ] as const) {
      if (this.text.startsWith(word, this.at)) {
        this.at += word.length
        return value
      }
    }
    return this.number()
  }

  /** Too deep to go on; but as many brackets must close as open. */
  private isClosed(): boolean {
    const count = (mark: string) => this.text.split(mark).length
    return count('[') + count('{') === count(']') + count('}')
  }

  end(): void {
    this.blanks()
    if (this.at < this.text.length) this.fail()
  }

  private fail(): never {
    throw new Faulty('invalid_json')
  }

  private blanks(): void {
    while (' \t\n\r'.includes(this.text[this.at] ?? '?')) this.at++
  }

  private takes(mark: string): boolean {
    this.blanks()
    if (this.text[this.at] !== mark) return false
    this.at++
    return true
  }

  private object(depth: number): Value {
    const fields = new Map<string, Value>()
    this.at++
    if (this.takes('}')) return {}
    do {
      this.blanks()
      if (this.text[this.at] !== '"') this.fail()
      const key = this.string()
      if (!this.takes(':')) this.fail()
      fields.set(key, this.value(depth + 1))
    } while (this.takes(','))
    if (!this.takes('}')) this.fail()
    return Object.fromEntries(fields)
  }

  private array(depth: number): Value {
    const items: Value[] = []
    this.at++
    if (this.takes(']')) return items
    do items.push(this.value(depth + 1))
    while (this.takes(','))
    if (!this.takes(']')) this.fail()
    return items
  }

  private string(): string {
    let read = ''
    for (this.at++; ; ) {
      const next = this.text[this.at++]
      if (next === undefined || next < ' ') this.fail()
      if (next === '"') break
      read += next === '\\' ? this.escaped() : next
    }
    return read
  }

  private escaped(): string {
    const mark = this.text[this.at++] ?? '?'
    const plain = { '"': '"', '\\': '\\', '/': '/', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' }[mark]
    if (plain !== undefined) return plain
    const hex = this.text.slice(this.at, this.at + 4)
    if (mark !== 'u' || !/^[0-9a-fA-F]{4}$/.test(hex)) this.fail()
    this.at += 4
    return String.fromCharCode(Number.parseInt(hex, 16))
  }

  private number(): Value {
    const pattern = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?/y
    pattern.lastIndex = this.at
    const text = pattern.exec(this.text)?.[0]
    if (text === undefined) this.fail()
    this.at += text.length
    return numberOf(text)
  }
}

/** A double, if it has the value to the digits of the text, or is written so; a whole number may have 64 bits; else 34 digits. */
function numberOf(text: string): Value {
  const digits = text
    .replace(/[eE].*/, '')
    .replace(/[-.]/g, '')
    .replace(/^0+/, '')
    .replace(/0+$/, '')
  const double = Number(text)
  if (/^-?\d+$/.test(text)) {
    const integer = BigInt(text)
    if (BigInt(double) === integer && Math.abs(double) < 2 ** 53) return double
    if (BigInt.asIntN(64, integer) === integer) return integer
  } else if (digits === '' || isSame(text, double, digits)) return double
  return digits.length <= 34 && isDecimal(text) ? new Decimal(text) : OUT_OF_RANGE
}

function isSame(text: string, double: number, digits: string): boolean {
  if (digits.length > 100 || !Number.isFinite(double) || double === 0) return false
  return [double.toExponential(digits.length - 1), double.toExponential()].some((written) => {
    const [mantissa = '', power] = written.split('e')
    return mantissa.replace(/[-.]/g, '') === digits && Number(power) === firstPlace(text)
  })
}

/** The power of ten of the first digit that counts. */
function firstPlace(text: string): number {
  const [number = '', power = '0'] = text.replace(/^-/, '').toLowerCase().split('e')
  const [whole = '', fraction = ''] = number.split('.')
  return Number(power) + whole.length - 1 - (whole + fraction).search(/[1-9]/)
}

/** Whether the last digit that counts is not below 10^-6176, and the first not above 10^6144. */
function isDecimal(text: string): boolean {
  const [number = '', power = '0'] = text.replace(/^-/, '').toLowerCase().split('e')
  const [whole = '', fraction = ''] = number.split('.')
  const all = whole + fraction
  const first = all.search(/[1-9]/)
  const last = all.search(/[1-9]0*$/)
  const exponentAt = (place: number) => Number(power) + whole.length - 1 - place
  return exponentAt(last) >= -6176 && exponentAt(first) <= 6144
}
