import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import AxeBuilder from '@axe-core/playwright'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { Browser, Page } from 'playwright-core'
import { cardToken } from '../../src/contract/card-token.ts'
import { makeKey } from '../../src/serve/access/make-key.ts'
import { openBrowser } from '../support/browser.ts'
import { type Processor, startProcessor } from '../support/processor.ts'
import { produce } from '../support/produce.ts'
import { watchProgress } from '../support/progress.ts'
import { type ReadSide, startReadSide } from '../support/read-side.ts'
import { newRunNames } from '../support/run-names.ts'
import { sharedServices, until } from '../support/services.ts'

/** The page in a real browser, before the real server, on records of this test alone. */
const { env, mongodbUri } = sharedServices()
const names = newRunNames('page')
const KEY = 'a key of card tokens'
const NUMBER = '4111111111111111'
const settings = { KAFKA_BROKERS: env.KAFKA_BROKERS, MONGODB_URI: mongodbUri, ...names, CARD_TOKEN_KEY: KEY }
const NOW = Date.now()

let processor: Processor
let side: ReadSide
let browser: Browser
const directory = mkdtempSync(join(tmpdir(), 'page-'))

beforeAll(async () => {
  processor = await startProcessor(settings)
  side = await startReadSide(settings)
  browser = await openBrowser()
}, 120_000)

afterAll(async () => {
  await browser?.close()
  await side?.stop()
  await processor?.stop()
  rmSync(directory, { recursive: true })
  await using progress = await watchProgress(env.KAFKA_BROKERS, names)
  await progress.cleanUp()
}, 60_000)

let last = 0

function parking(session: string, type: string, seconds: number, zone = '10001') {
  return {
    ...{ event_id: `event-${++last}`, event_type: type, card: NUMBER, zone_id: zone, status: 'success' },
    timestamp: new Date(NOW + 1_000 * seconds).toISOString(),
    session_data: { session_id: session, end_time: new Date(NOW + 3_600_000).toISOString(), license_plate: 'ABC123' },
  }
}

const send = (...records: (object | string)[]) =>
  produce(
    env.KAFKA_BROKERS,
    names.EVENTS_TOPICS,
    records.map((one) => ({
      partition: 0,
      key: `key-${++last}`,
      value: typeof one === 'string' ? one : JSON.stringify(one),
    })),
  )

interface Shown extends AsyncDisposable {
  page: Page
  /** What the browser complained of: scripts that failed, and what the policy kept out. */
  complaints: string[]
  /** Addresses that were asked for. */
  asked: string[]
}

async function show(hash: string, { url = side.url, width = 1280, dark = false } = {}): Promise<Shown> {
  const context = await browser.newContext({
    viewport: { width, height: 800 },
    colorScheme: dark ? 'dark' : 'light',
    reducedMotion: 'reduce',
  })
  const page = await context.newPage()
  const complaints: string[] = []
  const asked: string[] = []
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('console', (message) => {
    const isAnswer = message.text().startsWith('Failed to load resource') // of what the page handles
    if (message.type() === 'error' && !isAnswer) complaints.push(message.text())
  })
  page.on('request', (request) => asked.push(request.url()))
  await page.goto(`${url}/#/${hash}`)
  return { page, complaints, asked, [Symbol.asyncDispose]: () => context.close() }
}

const row = (page: Page, text: string) => page.getByRole('row').filter({ hasText: text })

describe('the page', () => {
  test('of an empty system says what would fill it', async () => {
    await using shown = await show('zones')
    await shown.page.getByText('No zones yet').waitFor()
    expect(shown.complaints).toEqual([])
  })

  test('shows what is parked where, and follows it', async () => {
    await using shown = await show('zones')
    await send(
      parking('s1', 'parking_start', 1),
      parking('s2', 'parking_start', 1),
      parking('s3', 'parking_start', 1, '20002'),
    )
    const zone = row(shown.page, '10001')
    await zone.getByText('2', { exact: true }).first().waitFor()
    await send(parking('s2', 'parking_stop', 2))
    await zone.getByText('1', { exact: true }).first().waitFor()
    expect(await shown.page.locator('canvas').count()).toBeGreaterThan(0)
    expect(shown.complaints).toEqual([])
  })

  test('streams status updates as they are committed', async () => {
    await using shown = await show('live')
    await shown.page.getByText('Waiting for the next update').waitFor()
    const began = Date.now()
    await send(parking('s4', 'parking_start', 3))
    await row(shown.page, 's4').first().waitFor()
    expect(Date.now() - began).toBeLessThan(5_000)
    expect(shown.asked.filter((url) => url.includes('/v1/status-updates'))).toHaveLength(1)
  })

  test('looks a session up, with its timeline', async () => {
    await send(parking('s5', 'parking_start', 4), parking('s5', 'parking_stop', 5))
    await until(async () => (await side.get('/v1/sessions/s5')).body.revision === 2, { timeoutMs: 20_000, what: 's5' })
    await using shown = await show('sessions')
    await shown.page.getByLabel('Session id').fill('s5')
    await shown.page.keyboard.press('Enter')
    await shown.page.getByRole('heading', { name: 'Session s5' }).waitFor()
    await shown.page.getByText('finished').first().waitFor()
    await shown.page.locator('details summary').first().click()
    await shown.page.getByText('"license_plate": "ABC123"').first().waitFor()
  })

  test('looks a card number up without ever putting it into an address', async () => {
    await using shown = await show('sessions')
    await shown.page.getByLabel('Card token or number').fill('4111 1111 1111 1111')
    await shown.page.keyboard.press('Enter')
    await shown.page.getByText(cardToken(KEY, NUMBER)).first().waitFor()
    for (const url of [...shown.asked, shown.page.url()]) expect(url.replace(/\D/g, '')).not.toContain(NUMBER)
    expect(await shown.page.content()).not.toContain(NUMBER)
  })

  test('tells how the cache does, and dead letters by reason', async () => {
    await send('this is no JSON')
    await using cache = await show('cache')
    await cache.page.getByText('of look-ups answered from memory').first().waitFor()
    await row(cache.page, 'mongodb').first().waitFor()
    await using letters = await show('dead-letters')
    await row(letters.page, 'invalid_json').first().waitFor()
    expect([...cache.complaints, ...letters.complaints]).toEqual([])
  })

  test('shows whatever records hold as text', async () => {
    const hostile = '"><img src=x onerror=alert(1)>/..?#%2F'
    await send(parking(hostile, 'parking_start', 6, `zone ${hostile}`))
    await using shown = await show('zones')
    await shown.page.getByText(`zone ${hostile}`).first().waitFor()
    await shown.page
      .getByRole('link', { name: `zone ${hostile}` })
      .first()
      .click()
    await shown.page.getByText(hostile, { exact: true }).first().waitFor()
    expect(await shown.page.locator('img[src="x"]').count()).toBe(0)
    expect(shown.complaints).toEqual([])
  })
})

describe('everybody can use it', () => {
  const views = ['zones', 'zones/10001', 'live?all=true', 'sessions', 'sessions/s5', 'cache', 'dead-letters', 'nowhere']

  test.each([
    ['light', false, 1280],
    ['dark', true, 360],
  ])('no view has a fault that axe finds, nor is it wider than the screen (%s)', async (_, dark, width) => {
    await using shown = await show('zones', { dark, width })
    for (const view of views) {
      await shown.page.goto(`${side.url}/#/${view}`)
      await shown.page.getByRole('heading', { level: 1 }).waitFor()
      await shown.page.waitForLoadState('load')
      const { violations } = await new AxeBuilder({ page: shown.page }).analyze()
      expect(violations.map(({ id, nodes }) => [view, id, nodes[0]?.html])).toEqual([])
      const surplus = await shown.page.evaluate(
        'document.documentElement.scrollWidth - document.documentElement.clientWidth',
      )
      expect([view, surplus]).toEqual([view, 0])
    }
  })

  test('by keyboard alone', async () => {
    await using shown = await show('zones')
    await row(shown.page, '10001').first().waitFor()
    await shown.page.keyboard.press('Tab')
    expect(await shown.page.locator(':focus').textContent()).toBe('Skip to the content')
    for (let i = 0; i < 10; i++) {
      await shown.page.keyboard.press('Tab')
      if ((await shown.page.locator(':focus').textContent())?.trim() === 'Sessions') break
    }
    await shown.page.keyboard.press('Enter')
    await shown.page.getByRole('heading', { name: 'Sessions', level: 1 }).waitFor()
  })
})

describe('when not all is well', () => {
  test('it says since when the server is away, and goes on by itself', async () => {
    const own = await startReadSide(settings)
    await using shown = await show('zones', { url: own.url })
    await row(shown.page, '10001').first().waitFor()
    const { port } = new URL(own.url)
    await own.kill9()
    await shown.page.getByText('The server does not answer').first().waitFor()
    await row(shown.page, '10001').first().waitFor()
    await using _again = await startReadSide({ ...settings, SERVE_PORT: port })
    await shown.page.getByTestId('banner').waitFor({ state: 'detached', timeout: 30_000 })
  }, 90_000)

  test('it asks for a key where one is needed, and tells what that key may not read', async () => {
    const { key, entry } = makeKey('page', ['status:read'], null, null)
    const file = join(directory, 'keys.json')
    writeFileSync(file, JSON.stringify({ keys: [entry] }), { mode: 0o600 })
    await using own = await startReadSide({ ...settings, AUTH_KEYS_FILE: file })
    await using shown = await show('zones', { url: own.url })
    await shown.page.getByRole('textbox', { name: 'API key' }).fill(key)
    await shown.page.getByRole('button', { name: 'Use this key' }).click()
    await row(shown.page, '10001').first().waitFor()
    await shown.page.goto(`${own.url}/#/cache`)
    await shown.page.getByText('your key may not read this').first().waitFor()
    expect(shown.asked.filter((url) => url.includes(key))).toEqual([])
  })
})
