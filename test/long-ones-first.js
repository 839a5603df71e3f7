import Sequencer from '@jest/test-sequencer'

const LONG = /[/\\]test[/\\]faults[/\\]/

/** Jest begins with the largest files. The fault suite is small and takes longest, so it comes first, beside all others. */
export default class extends Sequencer {
  sort(tests) {
    const sorted = super.sort(tests)
    const isLong = ({ path }) => LONG.test(path)
    return [...sorted.filter(isLong), ...sorted.filter((test) => !isLong(test))]
  }
}
