import { scenarios as brokers } from './brokers.ts'
import { scenarios as kills } from './kills.ts'
import { scenarios as members } from './members.ts'
import { scenarios as mongodb } from './mongodb.ts'
import { scenarios as operators } from './operators.ts'
import { scenarios as order } from './order.ts'
import { scenarios as registry } from './registry.ts'
import type { Scenario } from './run.ts'
import { scenarios as zombies } from './zombies.ts'

/** Everything that the suite plays once and the soak draws from. */
export const scenarios: readonly Scenario[] = [
  ...kills,
  ...zombies,
  ...members,
  ...order,
  ...brokers,
  ...operators,
  ...registry,
  ...mongodb,
]
