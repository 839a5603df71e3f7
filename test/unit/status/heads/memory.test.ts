import { openHeadsInMemory } from '../../../../src/status/heads/memory.ts'
import { describeHeads } from '../../../support/heads-conformance.ts'

describeHeads('in memory', openHeadsInMemory)
