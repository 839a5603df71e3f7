import { describe, expect, test } from '@jest/globals'
import { effectiveSettings, readSettings, SettingsError } from '../../../src/settings.ts'

const GIVEN = { KAFKA_BROKERS: 'kafka:9092', MONGODB_URI: 'mongodb://mongo' }
const ENDPOINT = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' }
const tracesOf = (env: Record<string, string>) => readSettings({ ...GIVEN, ...env }).traces

describe('traces', () => {
  test('are off until an endpoint is set', () => {
    expect(tracesOf({})).toBeNull()
    expect(tracesOf({ OTEL_SERVICE_NAME: 'parking', OTEL_TRACES_SAMPLER_ARG: '1' })).toBeNull()
    expect(tracesOf(ENDPOINT)).toEqual({
      ...{ endpoint: 'http://collector:4318', headers: {}, serviceName: 'pm-parking-events', share: 0.1 },
    })
  })

  test('take headers with encoded values, which are never shown', () => {
    const headers = 'Authorization=Bearer%20abc%3D, x-tenant=parking'
    const env = { ...GIVEN, ...ENDPOINT, OTEL_EXPORTER_OTLP_HEADERS: headers }
    expect(readSettings(env).traces?.headers).toEqual({ authorization: 'Bearer abc=', 'x-tenant': 'parking' })
    const shown = effectiveSettings(env).settings.find(({ name }) => name === 'OTEL_EXPORTER_OTLP_HEADERS')
    expect(shown?.value).toBe('***')
  })

  test.each(['authorization', '=value', 'a=', 'a=b c', 'a=%zz', 'a=b%0d%0ac:d', 'a=%7f', 'a b=c', 'a=b,,c=d'])(
    'refuse the headers %j',
    (headers) => {
      expect(() => tracesOf({ ...ENDPOINT, OTEL_EXPORTER_OTLP_HEADERS: headers })).toThrow(
        'OTEL_EXPORTER_OTLP_HEADERS must be',
      )
    },
  )

  test('refuse headers for nobody, a share over 1, and what is no address', () => {
    const env = { OTEL_EXPORTER_OTLP_HEADERS: 'a=b', OTEL_TRACES_SAMPLER_ARG: '1.5' }
    expect(() => tracesOf(env)).toThrow(SettingsError)
    expect(() => tracesOf(env)).toThrow('OTEL_EXPORTER_OTLP_ENDPOINT is not set, but OTEL_EXPORTER_OTLP_HEADERS is')
    expect(() => tracesOf(env)).toThrow('OTEL_TRACES_SAMPLER_ARG is "1.5"')
    expect(() => tracesOf({ OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4317' })).toThrow(
      'is not an http:// or https:// address',
    )
  })
})
