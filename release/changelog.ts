const COMMIT = (sha: string) => `Commit \`${sha}\`.`

/** The day of a version. @throws where the changelog does not have it at its top, with a day */
export function dayOf(changelog: string, version: string): string {
  const [, top = ''] = /^## (.*)$/m.exec(changelog) ?? []
  const [, named, day] = /^(\S+), (\d{4}-\d{2}-\d{2})$/.exec(top) ?? []
  if (named === version && day !== undefined) return day
  throw new Error(
    `CHANGELOG.md begins with "## ${top}"; for this release it must begin with "## ${version}, <year>-<month>-<day>"`,
  )
}

/** Names the commit of a version that is released, and begins the next one above it. */
export function goOn(changelog: string, version: string, sha: string, next: string): string {
  const heading = `## ${version}, ${dayOf(changelog, version)}\n`
  return changelog.replace(heading, `## ${next} (not released)\n\n${heading}\n${COMMIT(sha)}\n`)
}
