/** A terminal and npm both pass a Ctrl-C on; what comes this soon after the first is still the first. */
const SAME_SIGNAL_MS = 500
const LOOK_MS = 500

/**
 * Calls `stop` once, when this program is told to end: by SIGINT, by SIGTERM, or by the end of the npm that runs it (a
 * killed npm leaves its script behind). A second signal ends the process at once.
 */
export function whenToldToStop(stop: () => void): void {
  let first: number | null = null
  const told = () => {
    if (first === null) {
      first = Date.now()
      stop()
    } else if (Date.now() - first > SAME_SIGNAL_MS) process.exit(130)
  }
  process.on('SIGINT', told).on('SIGTERM', told)
  if (process.env.npm_lifecycle_event === undefined) return
  const parent = process.ppid
  const look = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(look)
    told()
  }, LOOK_MS)
  look.unref()
}
