import { type Services, type ServicesOptions, startServices } from '../../local/services.ts'

export { until } from '../../local/until.ts'

export interface SharedServices {
  brokers: string[]
  mongodbUri: string
  registryUrl: string
  /** The primary store, for a user who can only read its database `parking`. */
  primaryUri: string
  /** The same server, for a user who may make a test's own databases and tables. */
  primaryAdminUri: string
  /** The first three as settings for the program. */
  env: { KAFKA_BROKERS: string; MONGODB_URI: string; SCHEMA_REGISTRY_URL: string }
}

/**
 * The services that `npm test` started for all tests. They are shared: a test uses topics, groups, subjects and
 * databases of its own names, and never stops or pauses them.
 */
export function sharedServices(): SharedServices {
  const env = {
    KAFKA_BROKERS: given('KAFKA_BROKERS'),
    MONGODB_URI: given('MONGODB_URI'),
    SCHEMA_REGISTRY_URL: given('SCHEMA_REGISTRY_URL'),
  }
  return {
    brokers: env.KAFKA_BROKERS.split(','),
    mongodbUri: env.MONGODB_URI,
    registryUrl: env.SCHEMA_REGISTRY_URL,
    primaryUri: given('PRIMARY_MYSQL_URI'),
    // Who names a server of their own may name one user for both.
    primaryAdminUri: process.env.PRIMARY_MYSQL_ADMIN_URI || given('PRIMARY_MYSQL_URI'),
    env,
  }
}

/** Services for one test alone, to stop, kill and pause. Dispose of them at its end; they take seconds to start. */
export function freshServices(options: Omit<ServicesOptions, 'fresh'> = {}): Promise<Services> {
  return startServices({ ...options, fresh: true })
}

function given(name: string): string {
  const value = process.env[name]
  if (!value) throw new Error(`${name} is not set: run this test with "npm test -- <path>", which starts the services`)
  return value
}
