import { scenarios as kills } from './kills.ts'
import type { Scenario } from './run.ts'

/** Everything that the suite plays once and the soak draws from. */
export const scenarios: readonly Scenario[] = [...kills]
