import { isIPv6 } from 'node:net'

/**
 * Whom an address stands for: an IPv4 address for itself, also where IPv6 writes it; an IPv6 address for its first 64 bits, since who
 * has one address of these has all of them.
 */
export function networkOf(address: string): string {
  if (!isIPv6(address)) return address
  const [, mapped] = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address) ?? []
  if (mapped !== undefined) return mapped
  const [before = '', after] = address.split('::')
  const groups = before === '' ? [] : before.split(':')
  const written = after ? after.split(':').length + (after.includes('.') ? 1 : 0) : 0
  // What "::" leaves out are zeros; behind it is written what comes last.
  if (after !== undefined) groups.push(...Array<string>(8 - groups.length - written).fill('0'), ...after.split(':'))
  return groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')
}
