import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { type Browser, chromium } from 'playwright-core'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']

/** A Chromium of this machine, without a window: CHROMIUM, or the first one on the PATH. */
export function openBrowser(): Promise<Browser> {
  const found = process.env.CHROMIUM || onPath()
  if (found === undefined) {
    throw new Error(
      `No Chromium on the PATH: install one (on Debian or Ubuntu: apt-get install chromium), or name its program in CHROMIUM`,
    )
  }
  // Its own sandbox needs rights that a container seldom has; what it opens is ours.
  return chromium.launch({ executablePath: found, args: ['--no-sandbox'] })
}

function onPath(): string | undefined {
  const paths = (process.env.PATH ?? '').split(delimiter)
  return NAMES.flatMap((name) => paths.map((path) => join(path, name))).find(canRun)
}

function canRun(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
