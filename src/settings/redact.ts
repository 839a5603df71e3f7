import type { Found } from './environment.ts'
import { type Name, VARIABLES } from './variables.ts'

const SECRET_OPTION = /([?&][^=&]*(?:password|token|secret|authMechanismProperties)[^=&]*=)[^&]*/gi

/** A connection string without its credentials: user, password, and options that carry secrets. */
const redactUri = (uri: string): string =>
  uri.replace(/^([A-Za-z][A-Za-z0-9+.-]*:\/\/).*@/s, '$1***@').replace(SECRET_OPTION, '$1***')

/** The text of a setting as it may be shown. Null when it is not set. */
export function shownText(name: Name, found: Found | undefined): string | null {
  if (found?.text == null) return null
  const { shown, format } = VARIABLES[name]
  if (shown === 'hidden') return '***'
  if (found.text.includes('-----BEGIN ')) return '(PEM)'
  if (shown === 'plain') return redactUri(found.text)
  // What is no connection string at all may be a secret in the wrong place.
  return 'problem' in format(found.text) ? '***' : redactUri(found.text)
}
