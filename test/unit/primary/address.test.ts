import { describe, expect, test } from '@jest/globals'
import { addressOf } from '../../../src/primary/address.ts'

describe('PRIMARY_MYSQL_URI', () => {
  test('says where, who and which database', () => {
    expect(addressOf('mysql://rea%40der:p%3Aw%2F@db.example:3307/par%20king')).toEqual({
      host: 'db.example',
      port: 3307,
      user: 'rea@der',
      password: 'p:w/',
      database: 'par king',
    })
    expect(addressOf('mariadb://reader@[::1]/parking')).toMatchObject({ host: '::1', port: 3306, password: '' })
  })

  test('asks for TLS, with the name in the certificate compared', () => {
    const ssl = (value: string) => addressOf(`mysql://u:p@h/d?ssl=${encodeURIComponent(value)}`).ssl
    expect(ssl('true')).toEqual({ rejectUnauthorized: true, verifyIdentity: true })
    expect(ssl('false')).toBeUndefined()
    expect(ssl('{"minVersion":"TLSv1.3"}')).toEqual({ minVersion: 'TLSv1.3', verifyIdentity: true })
    expect(ssl('{"rejectUnauthorized":false}')).toEqual({ rejectUnauthorized: false, verifyIdentity: false })
  })

  test.each([
    ['names no database', 'mysql://u:geheim@h:3306'],
    ['names no database', 'mysql://u:geheim@h:3306/'],
    ['is not a mysql://', 'u:geheim@h'],
    ['write %25', 'mysql://u:geheim%zz@h/d'],
    ['the option "multipleStatements"', 'mysql://u:geheim@h/d?multipleStatements=true'],
    ['the option "password"', 'mysql://u@h/d?password=geheim'],
    ['an ssl that is not', 'mysql://u:geheim@h/d?ssl=geheim'],
  ])('that %s is told so, without quoting it', (words, uri) => {
    let message = ''
    try {
      addressOf(uri)
    } catch (error) {
      message = (error as Error).message
    }
    expect(message).toContain('PRIMARY_MYSQL_URI')
    expect(message).toContain(words)
    expect(message).not.toContain('geheim')
  })
})
