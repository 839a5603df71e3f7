import type { MongoClient } from 'mongodb'
import { blocksOf } from './page-commands.ts'

/**
 * Makes the roles and users of docs/how-to/secure.md, as its blocks for `mongosh` do.
 * @param root who may do all
 * @param password of each user
 * @returns how many commands the page had for it
 */
export async function makeRolesOfPage(root: MongoClient, password: string): Promise<number> {
  const commands: [database: string, command: Record<string, unknown>][] = []
  const databaseOf = (name: string) => ({
    createRole: ({ role, ...rest }: Record<string, unknown>) => commands.push([name, { createRole: role, ...rest }]),
    createUser: ({ user, ...rest }: Record<string, unknown>) => commands.push([name, { createUser: user, ...rest }]),
    grantRolesToUser: (user: string, roles: string[]) => commands.push([name, { grantRolesToUser: user, roles }]),
    getSiblingDB: (sibling: string) => databaseOf(sibling),
  })
  const blocks = blocksOf('docs/how-to/secure.md').filter(({ language }) => language === 'js')
  const typed = new Function('db', 'use', 'passwordPrompt', blocks.map(({ text }) => text).join('\n'))
  typed(
    databaseOf('admin'),
    () => undefined,
    () => password,
  )
  for (const [name, command] of commands) await root.db(name).command(command)
  return commands.length
}
